//! An agent process with a folder of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::{bins, host::Host, process::Process, wait};

/// How an agent reaches its host, and where it runs.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The host's gateway: `https://name:port`.
    pub server: String,
    /// What starts the program, before its name: `ip netns exec ...`.
    pub launcher: Vec<String>,
    /// More environment.
    pub environment: Vec<(String, String)>,
}

impl Place {
    /// On this machine, over another port of loopback than the host's, or the host's own.
    pub fn behind(port: u16) -> Self {
        Self { server: format!("https://localhost:{port}"), ..Self::default() }
    }

    fn command(&self) -> Result<Command> {
        let program = bins::binary("sysmanage-agent")?;
        let mut command = launched(&self.launcher, &program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// A command that starts `program` by `launcher`.
pub fn launched(launcher: &[String], program: &Path) -> Command {
    match launcher.split_first() {
        None => Command::new(program),
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    }
}

/// An enrolled agent.
pub struct Agent {
    /// Its folder.
    pub data: PathBuf,
    /// Its machine's id on the host.
    pub machine: String,
    /// The process, once it runs.
    pub process: Process,
    /// Where it runs, kept over restarts.
    pub place: Place,
}

impl Agent {
    /// Enrol with a fresh, self-approving token and run until the machine is online.
    ///
    /// # Errors
    /// When a step fails; the agent's log is in the message.
    pub async fn start(host: &Host, data: &Path, name: &str) -> Result<Self> {
        Self::start_in(host, data, name, Place::behind(host.settings.agents_port)).await
    }

    /// The same in a place of its own.
    ///
    /// # Errors
    /// As [`Agent::start`].
    pub async fn start_in(host: &Host, data: &Path, name: &str, place: Place) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let token =
            host.enrolment_token(&json!({ "name": name, "auto_approve": true, "max_uses": 1 })).await?;
        enroll_in(host, data, name, &token, &place).await?;
        Self::run_in(host, data, name, place).await
    }

    /// The same with a token that approves nobody: an administrator does when the machine asks to join.
    ///
    /// # Errors
    /// As [`Agent::start`].
    pub async fn approved_in(host: &Host, data: &Path, name: &str, place: Place) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let token = host.enrolment_token(&json!({ "name": name, "max_uses": 1 })).await?;
        tokio::try_join!(enroll_in(host, data, name, &token, &place), approve(host, name))?;
        Self::run_in(host, data, name, place).await
    }

    /// Run one that is enrolled, until its machine is online.
    ///
    /// # Errors
    /// As [`Agent::start`].
    pub async fn run_in(host: &Host, data: &Path, name: &str, place: Place) -> Result<Self> {
        let process = run_in(data, &place)?;
        let machine = online(host, name).await.with_context(|| process.tail(20))?;
        Ok(Self { data: data.to_owned(), machine, process, place })
    }

    /// Start again after a kill.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = run_in(&self.data, &self.place)?;
        Ok(())
    }
}

/// `sysmanage-agent enroll`, which waits for approval.
///
/// # Errors
/// With what the agent said.
pub async fn enroll(host: &Host, data: &Path, name: &str, token: &str) -> Result<()> {
    enroll_in(host, data, name, token, &Place::behind(host.settings.agents_port)).await
}

/// The same from a place of its own.
///
/// # Errors
/// As [`enroll`].
pub async fn enroll_in(host: &Host, data: &Path, name: &str, token: &str, place: &Place) -> Result<()> {
    let fingerprint = host.ca_fingerprint().await?;
    let mut command = tokio::process::Command::from(place.command()?);
    command.arg("--data").arg(data).args(["enroll", "--name", name, "--token", token]);
    command.args(["--ca-fingerprint", &fingerprint, "--server", &place.server]).kill_on_drop(true);
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

/// Wait for a machine that asks to join, and let it.
async fn approve(host: &Host, name: &str) -> Result<()> {
    let local = host.local()?;
    let id: String = wait::until(&format!("machine {name} to ask"), Duration::from_secs(30), || async {
        let page = local.get(&format!("/machines?q=name:{name} state:pending")).await?;
        Ok(page["items"][0]["id"].as_str().map(str::to_owned))
    })
    .await?;
    local.post(&format!("/machines/{id}/approve"), &json!({})).await.map(drop)
}

/// Run an enrolled agent.
///
/// # Errors
/// When it does not start.
pub fn run(data: &Path) -> Result<Process> {
    run_in(data, &Place::default())
}

fn run_in(data: &Path, place: &Place) -> Result<Process> {
    let mut command = place.command()?;
    // Tests kill hosts all the time: their agents come back at once.
    command.env("SYSMANAGE_AGENT__CONNECTION__MAX_BACKOFF_S", "1");
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
