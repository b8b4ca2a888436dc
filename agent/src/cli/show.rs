//! `status`, `policy check` and `inventory`: what this machine says of itself.

use std::{io::Write, path::Path, process::ExitCode};

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    clock,
    config::Config,
    enrolment::Enrolment,
    identity::{self, Certificate, Identity},
    inventory::{self, SECTIONS, source::Root},
    policy,
    status::{self, ConnectionState, Status},
    storage::{self, DataDir},
};

#[derive(Serialize)]
struct Report {
    running: bool,
    enrolled: bool,
    server: Option<String>,
    machine_id: Option<uuid::Uuid>,
    key_fingerprint: Option<String>,
    certificate_not_after: Option<String>,
    agent: Option<Status>,
}

/// Exit code 0 when connected, 1 otherwise.
pub fn status(data: &Path, json: bool, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    ensure!(data.is_dir(), "{} does not exist; this machine is not enrolled", data.display());
    let data = DataDir::open(data).context("the data folder cannot be read")?;
    let report = report(&data)?;
    let connected = report.running
        && report.agent.as_ref().is_some_and(|agent| agent.connection == ConnectionState::Connected);
    if json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        print(&report, out)?;
    }
    Ok(if connected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(data: &DataDir) -> anyhow::Result<Report> {
    let enrolment = Enrolment::load(data)?;
    let identity = Identity::load(data)?;
    let authority = identity::load_authority(data)?;
    let certificate = match (&identity, &authority) {
        (Some(identity), Some(authority)) => Certificate::load(data, identity, authority)?,
        _ => None,
    };
    let running = data.lock().exists() && storage::lock(data).is_err();
    Ok(Report {
        running,
        enrolled: certificate.is_some(),
        server: enrolment.as_ref().map(|enrolment| enrolment.server.clone().into()),
        machine_id: enrolment.as_ref().map(|enrolment| enrolment.machine_id),
        key_fingerprint: identity.as_ref().map(Identity::fingerprint),
        certificate_not_after: certificate.map(|certificate| date(certificate.not_after)),
        agent: status::read(&data.status())?,
    })
}

fn date(at: agent_protocol::UnixMs) -> String {
    chrono::DateTime::from_timestamp_millis(at).map_or_else(|| at.to_string(), |at| at.to_rfc3339())
}

fn print(report: &Report, out: &mut impl Write) -> anyhow::Result<()> {
    let or = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    writeln!(out, "agent:       {}", if report.running { "running" } else { "not running" })?;
    writeln!(out, "server:      {}", or(report.server.clone()))?;
    writeln!(out, "machine:     {}", or(report.machine_id.map(|id| id.to_string())))?;
    writeln!(out, "key:         {}", or(report.key_fingerprint.clone()))?;
    writeln!(
        out,
        "certificate: {}",
        or(report.certificate_not_after.as_ref().map(|at| format!("until {at}")))
    )?;
    if let Some(agent) = report.agent.as_ref().filter(|_| report.running) {
        let state = serde_json::to_value(agent.connection)?;
        let state = state.as_str().unwrap_or("unknown").replace('_', " ");
        writeln!(out, "connection:  {state} since {}", date(agent.since))?;
        if let Some(error) = &agent.last_error {
            writeln!(out, "last error:  {error}")?;
        }
    }
    Ok(())
}

/// Exit code 1 when the policy is not usable or forbids one of the commands.
pub fn policy(path: &Path, commands: &[String], out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let policy = policy::load(path)?;
    if path.exists() {
        writeln!(out, "{} is good", path.display())?;
    } else {
        writeln!(out, "{} does not exist: everything is allowed", path.display())?;
    }
    let mut all_allowed = true;
    for command in commands {
        match policy.allows_command(command, chrono::Local::now()) {
            Ok(()) => writeln!(out, "{command}: allowed")?,
            Err(forbidden) => {
                all_allowed = false;
                writeln!(out, "{command}: forbidden. {forbidden}")?;
            }
        }
    }
    Ok(if all_allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    digest: String,
    bytes: usize,
    data: Box<RawValue>,
}

/// Print sections as they would be sent.
pub fn inventory(config: &Config, names: &[String], json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    for name in names {
        ensure!(
            SECTIONS.contains(&name.as_str()),
            "there is no section `{name}`; there are {}",
            SECTIONS.join(", ")
        );
    }
    let root = Root::at(&config.root);
    let started = clock::now_ms();
    let mut shown = Vec::new();
    for name in SECTIONS {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        let Some(section) = inventory::collect(&root, name) else { continue };
        shown.push(Shown {
            name,
            digest: inventory::hex_digest(&section.body),
            bytes: section.body.len(),
            data: RawValue::from_string(String::from_utf8(section.body)?)?,
        });
    }
    if json {
        serde_json::to_writer(&mut *out, &shown)?;
        writeln!(out)?;
        return Ok(());
    }
    for section in &shown {
        writeln!(out, "{} ({} bytes, sha256 {})", section.name, section.bytes, section.digest)?;
        let value: serde_json::Value = serde_json::from_str(section.data.get())?;
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    }
    writeln!(out, "collected in {} ms", clock::now_ms().saturating_sub(started))?;
    Ok(())
}
