//! An agent process with a folder of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::{bins, host::Host, process::Process, wait};

/// An enrolled agent.
pub struct Agent {
    /// Its folder.
    pub data: PathBuf,
    /// Its machine's id on the host.
    pub machine: String,
    /// The process, once it runs.
    pub process: Process,
    /// More environment, kept over restarts.
    pub environment: Vec<(String, String)>,
}

impl Agent {
    /// Enrol with a fresh, self-approving token and run until the machine is online.
    ///
    /// # Errors
    /// When a step fails; the agent's log is in the message.
    pub async fn start(host: &Host, data: &Path, name: &str) -> Result<Self> {
        Self::start_with(host, data, name, &[]).await
    }

    /// The same with more environment, kept over restarts.
    ///
    /// # Errors
    /// As [`Agent::start`].
    pub async fn start_with(
        host: &Host,
        data: &Path,
        name: &str,
        environment: &[(String, String)],
    ) -> Result<Self> {
        Self::start_through(host, host.settings.agents_port, data, name, environment).await
    }

    /// The same over another port of loopback, that of something between the agent and its host.
    ///
    /// # Errors
    /// As [`Agent::start`].
    pub async fn start_through(
        host: &Host,
        port: u16,
        data: &Path,
        name: &str,
        environment: &[(String, String)],
    ) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let token =
            host.enrolment_token(&json!({ "name": name, "auto_approve": true, "max_uses": 1 })).await?;
        enroll_through(host, port, data, name, &token).await?;
        let process = run_with(data, environment)?;
        let machine = online(host, name).await.with_context(|| process.tail(20))?;
        Ok(Self { data: data.to_owned(), machine, process, environment: environment.to_vec() })
    }

    /// Start again after a kill.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = run_with(&self.data, &self.environment)?;
        Ok(())
    }
}

/// `sysmanage-agent enroll`, which waits for approval.
///
/// # Errors
/// With what the agent said.
pub async fn enroll(host: &Host, data: &Path, name: &str, token: &str) -> Result<()> {
    enroll_through(host, host.settings.agents_port, data, name, token).await
}

async fn enroll_through(host: &Host, port: u16, data: &Path, name: &str, token: &str) -> Result<()> {
    let fingerprint = host.ca_fingerprint().await?;
    let mut command = tokio::process::Command::new(bins::binary("sysmanage-agent")?);
    command.arg("--data").arg(data).args([
        "enroll",
        "--name",
        name,
        "--token",
        token,
        "--ca-fingerprint",
        &fingerprint,
    ]);
    command.arg("--server").arg(format!("https://localhost:{port}")).kill_on_drop(true);
    let out = tokio::time::timeout(Duration::from_secs(60), command.output())
        .await
        .context("enrolment hangs")??;
    if !out.status.success() {
        bail!(
            "enrolment failed: {}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
    }
    Ok(())
}

/// Run an enrolled agent.
///
/// # Errors
/// When it does not start.
pub fn run(data: &Path) -> Result<Process> {
    run_with(data, &[])
}

fn run_with(data: &Path, environment: &[(String, String)]) -> Result<Process> {
    let mut command = Command::new(bins::binary("sysmanage-agent")?);
    // Tests kill hosts all the time: their agents come back at once.
    command.env("SYSMANAGE_AGENT__CONNECTION__MAX_BACKOFF_S", "1");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    Process::start(command.arg("--data").arg(data).arg("run"), &data.join("agent.log"))
}

/// Wait until the machine of that name is approved and online; the answer is its id.
///
/// # Errors
/// When it never is.
pub async fn online(host: &Host, name: &str) -> Result<String> {
    let local = host.local()?;
    wait::until(&format!("machine {name} to be online"), Duration::from_secs(60), || async {
        let page = local.get(&format!("/machines?q=name:{name}")).await?;
        let machine = &page["items"][0];
        if machine["online"] == true {
            return Ok(machine["id"].as_str().map(str::to_owned));
        }
        bail!("it is {machine}");
    })
    .await
}
