//! The process a job's programs run below: in a session of its own, and in a scope of its own where systemd would end it
//! with the agent.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context;

use super::{Exit, Job, JobDir, Who};
use crate::{
    storage::append_private,
    tasks::packages::{STATUS_FD, Step},
};

/// How long the runner may take to begin.
const BEGIN: Duration = Duration::from_secs(60);
/// How often to look whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// How to start runners.
#[derive(Debug, Clone)]
pub struct Runner {
    /// The agent's own program.
    program: PathBuf,
    /// Whether systemd supervises the agent, and ends what is in its control group.
    in_unit: bool,
}

impl Runner {
    /// As this process is.
    pub fn here() -> io::Result<Self> {
        let in_unit =
            std::env::var_os("INVOCATION_ID").is_some() && Path::new("/run/systemd/system").exists();
        Ok(Self { program: std::env::current_exe()?, in_unit })
    }

    fn command(&self, dir: &JobDir) -> Command {
        let mut command = if self.in_unit {
            let name = dir.path().file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let mut command = Command::new("systemd-run");
            command.args(["--scope", "--quiet", "--collect", &format!("--unit=sysmanage-job-{name}"), "--"]);
            command.arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command.arg("run-job").arg(dir.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// Start a job that nobody has started yet, and wait until its runner has it.
pub async fn launch(runner: &Runner, dir: &JobDir) -> io::Result<()> {
    if dir.is_claimed() {
        return Ok(());
    }
    let mut command = runner.command(dir);
    command.stderr(append_private(&dir.file("runner.log"))?);
    let mut child = tokio::process::Command::from(command).kill_on_drop(false).spawn()?;
    let begun = async {
        while !dir.is_claimed() {
            tokio::select! {
                _ = child.wait() => break,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    };
    let in_time = tokio::time::timeout(BEGIN, begun).await.is_ok();
    if !dir.is_claimed() && dir.claim(&Who::me())? {
        // A runner that comes after this finds the job claimed and does nothing.
        let why = if in_time { "its runner ended at once" } else { "its runner did not begin in time" };
        let log = super::tail(&dir.file("runner.log"));
        return Err(io::Error::other(format!("{why}: {}", log.trim())));
    }
    tokio::spawn(async move { child.wait().await });
    Ok(())
}

/// Run the job in `dir` to its end: the runner's whole life.
pub fn run(dir: &Path) -> anyhow::Result<()> {
    let dir = JobDir::at(dir);
    #[cfg(unix)]
    // Fails only for a leader of a group, which then has no agent to be separated from.
    let _session = rustix::process::setsid();
    if !dir.claim(&Who::me())? {
        return Ok(());
    }
    let job = dir.job()?.context("there is no job in this folder")?;
    let Job::Process { plan, .. } = job else { anyhow::bail!("this job runs no program") };
    let mut exit = Exit { code: Some(0), ..Exit::default() };
    for step in &plan.steps {
        exit = match start(&dir, step, &plan.env) {
            Ok(status) => told(status),
            Err(error) => Exit { not_started: Some(error.to_string()), ..Exit::default() },
        };
        if exit.code != Some(0) {
            break;
        }
    }
    dir.write("ended", &exit)?;
    Ok(())
}

fn start(
    dir: &JobDir,
    step: &Step,
    env: &std::collections::BTreeMap<String, String>,
) -> io::Result<ExitStatus> {
    let progress = append_private(&dir.file("progress"))?;
    let descriptor = inherited(&progress)?;
    let mut command = Command::new(
        crate::tasks::packages::find_program(&step.program).unwrap_or_else(|| PathBuf::from(&step.program)),
    );
    command
        .args(step.args.iter().map(|arg| arg.replace(STATUS_FD, &descriptor)))
        .envs(env)
        .env_remove("SYSMANAGE_AGENT_TOKEN")
        .stdin(Stdio::null())
        .stdout(append_private(&dir.file("out"))?)
        .stderr(append_private(&dir.file("err"))?);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    drop(progress);
    dir.write("child", &Who::of(child.id()))?;
    child.wait()
}

/// Let the next program have this file, under the number returned.
#[cfg(unix)]
fn inherited(file: &File) -> io::Result<String> {
    use std::os::fd::AsRawFd;
    rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty())?;
    Ok(file.as_raw_fd().to_string())
}

#[cfg(not(unix))]
fn inherited(_file: &File) -> io::Result<String> {
    Ok(String::new())
}

fn told(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    Exit { code: status.code(), signal, not_started: None }
}
