//! `sysmanage-agent enroll`.

use std::{io::Write, path::Path, time::Duration};

use anyhow::Context;
use tokio::time::Instant;

use super::EnrollArgs;
use crate::{
    backoff::Backoff,
    config::Config,
    enrolment::{Enroller, Request, Standing},
    inventory::source::Root,
    server::{Server, parse_fingerprint},
    storage::{self, DataDir},
};

/// Enrol, and wait for approval.
pub async fn enroll(
    data: &Path,
    config: &Config,
    args: EnrollArgs,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let fingerprint = args
        .ca_fingerprint
        .as_deref()
        .map(|text| parse_fingerprint(text).context("--ca-fingerprint is 64 hexadecimal digits"))
        .transpose()?;
    let data = DataDir::open(data).context("the data folder cannot be opened")?;
    let _lock = storage::lock(&data)?;
    let server = Server::parse(&args.server)?;
    let enroller = Enroller::new(&data, &server, fingerprint)?;
    let deadline = Instant::now() + Duration::from_secs(args.wait);
    let request = Request { server, token: args.token, fingerprint, name: args.name };
    let root = Root::at(&config.root);

    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
    let (enrolment, standing) = loop {
        match enroller.ask(&request, &root).await {
            Ok(answer) => break answer,
            Err(error) if error.is_temporary() && Instant::now() < deadline => {
                writeln!(out, "{error}; trying again")?;
                tokio::time::sleep(backoff.next_wait()).await;
            }
            Err(error) => return Err(error.into()),
        }
    };
    if fingerprint.is_none()
        && let Some(seen) = enroller.authority_fingerprint()
    {
        writeln!(
            out,
            "NOTE: no --ca-fingerprint was given; the authority seen first is trusted from now on."
        )?;
        writeln!(out, "Compare its SHA-256 fingerprint with the host's: {seen}")?;
    }
    writeln!(out, "machine: {}", enrolment.machine_id)?;
    writeln!(out, "key:     {}", enroller.key_fingerprint())?;
    if let Standing::Pending { .. } = standing {
        writeln!(out, "waiting for an administrator to approve this machine")?;
        out.flush()?;
    }
    enroller.wait(&enrolment, standing, Some(deadline)).await?;
    writeln!(out, "enrolled; start the agent with `sysmanage-agent run`")?;
    Ok(())
}
