//! Starts a script in a process group of its own, carries its output, and ends all of the group when told to.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use plugin_sdk::{CommandContext, EngineError, EngineResult};
use tokio::{
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
};

use super::{
    account::Account,
    masking::Patterns,
    pump::{self, Pipe, Shared, Summary},
};
use crate::model::wire::{Failure, ScriptResult};

/// How long a script may tidy up between TERM and KILL.
const TERM_GRACE: Duration = Duration::from_secs(3);
/// How long output is read after the script ended: something it left behind may hold the pipes open for ever.
const DRAIN_GRACE: Duration = Duration::from_secs(3);

/// Everything needed to start.
pub struct Launch {
    /// Program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Where it starts.
    pub directory: PathBuf,
    /// Who it runs as.
    pub account: Account,
    /// How long it may run, besides the task's deadline.
    pub timeout: Option<Duration>,
    /// Bytes of output sent at most.
    pub output_limit: u64,
    /// What to mask.
    pub patterns: Patterns,
}

/// How it came to an end.
enum End {
    Exited(ExitStatus),
    TimedOut,
    Cancelled,
}

/// Run it to its end.
///
/// # Errors
/// `spawn_failed` when it does not start. A script that fails is a result, not an error.
pub async fn run(ctx: &CommandContext, launch: Launch) -> EngineResult<ScriptResult> {
    let begun = Instant::now();
    let mut child = command(&launch).spawn().map_err(|e| {
        EngineError::new("spawn_failed", format!("{} does not start: {e}.", launch.program.display()))
    })?;
    let mut group = Group::of(&child);
    let shared = Arc::new(Shared::new(launch.output_limit, launch.patterns));
    let (stop, stopped) = watch::channel(false);
    let stdout = child.stdout.take().map(|pipe| {
        tokio::spawn(pump::carry(pipe, Pipe::Stdout, ctx.clone(), shared.clone(), stopped.clone()))
    });
    let stderr = child.stderr.take().map(|pipe| {
        tokio::spawn(pump::carry(pipe, Pipe::Stderr, ctx.clone(), shared.clone(), stopped.clone()))
    });
    let end = supervise(ctx, &mut child, &group, launch.timeout).await?;
    group.leave();
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let pipes = async { (joined(stdout).await, joined(stderr).await) };
    tokio::pin!(pipes);
    let (stdout, stderr) = tokio::select! {
        done = &mut pipes => done,
        () = tokio::time::sleep(DRAIN_GRACE) => {
            stop.send_replace(true);
            pipes.await
        }
    };
    Ok(result(end, duration_ms, stdout, stderr, shared.truncated()))
}

fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.arguments)
        .env_clear()
        .envs(launch.environment.iter().map(|(k, v)| (k, v)))
        .current_dir(&launch.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    {
        command.process_group(0);
        // As root the standard library drops the agent's other groups before it changes the user.
        if let Some((user, group)) = launch.account.change_to {
            command.uid(user).gid(group);
        }
    }
    #[cfg(windows)]
    {
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
    }
    command
}

async fn supervise(
    ctx: &CommandContext,
    child: &mut Child,
    group: &Group,
    timeout: Option<Duration>,
) -> EngineResult<End> {
    let overdue = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let end = tokio::select! {
        status = child.wait() => return status.map(End::Exited).map_err(lost),
        () = overdue => End::TimedOut,
        () = ctx.cancelled() => {
            let past = ctx.remaining().is_some_and(|left| left.is_zero());
            if past { End::TimedOut } else { End::Cancelled }
        }
    };
    group.terminate();
    if tokio::time::timeout(TERM_GRACE, child.wait()).await.is_err() {
        group.kill();
        child.wait().await.map_err(lost)?;
    }
    // Members of the group that outlived its leader.
    group.kill();
    Ok(end)
}

fn lost(e: std::io::Error) -> EngineError {
    EngineError::new("wait_failed", format!("The script's end cannot be observed: {e}."))
}

async fn joined(task: Option<JoinHandle<Summary>>) -> Option<Summary> {
    task?.await.ok()
}

fn result(
    end: End,
    duration_ms: u64,
    stdout: Option<Summary>,
    stderr: Option<Summary>,
    truncated: bool,
) -> ScriptResult {
    let (stdout_bytes, stdout_sha256) = stdout.map(|s| (s.bytes, s.sha256)).unwrap_or_default();
    let (stderr_bytes, stderr_sha256) = stderr.map(|s| (s.bytes, s.sha256)).unwrap_or_default();
    let (exit_code, signal) = match &end {
        End::Exited(status) => (status.code(), signal(*status)),
        End::TimedOut | End::Cancelled => (None, None),
    };
    let error = match (&end, exit_code, signal) {
        (End::TimedOut, ..) => {
            Some(Failure::new("timed_out", "The script ran longer than it may, and was ended."))
        }
        (End::Cancelled, ..) => Some(Failure::new("cancelled", "The script was cancelled, and was ended.")),
        (End::Exited(_), Some(0), _) => None,
        (End::Exited(_), Some(code), _) => {
            Some(Failure::new("exit_code", format!("The script ended with exit code {code}.")))
        }
        (End::Exited(_), None, Some(signal)) => {
            Some(Failure::new("killed_by_signal", format!("Signal {signal} ended the script.")))
        }
        (End::Exited(_), None, None) => {
            Some(Failure::new("exit_code", "The script ended without an exit code."))
        }
    };
    ScriptResult {
        exit_code,
        signal,
        duration_ms,
        stdout_bytes,
        stderr_bytes,
        truncated,
        stdout_sha256,
        stderr_sha256,
        error,
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// The script's process group. Dropped while the script runs (the agent gave the command up) it kills the group.
struct Group {
    leader: Option<u32>,
}

impl Group {
    fn of(child: &Child) -> Self {
        Self { leader: child.id() }
    }

    /// The script has ended: what one that ended by itself left in the background may stay, as after any login.
    fn leave(&mut self) {
        self.leader = None;
    }
}

#[cfg(unix)]
impl Group {
    fn terminate(&self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
    }

    fn kill(&self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        if let Some(leader) = self.leader.and_then(|id| i32::try_from(id).ok()) {
            // It may have ended just now; then there is nothing to do.
            let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), signal);
        }
    }
}

#[cfg(not(unix))]
impl Group {
    fn terminate(&self) {
        self.end(false);
    }

    fn kill(&self) {
        self.end(true);
    }

    fn end(&self, force: bool) {
        let Some(leader) = self.leader else { return };
        let mut command = std::process::Command::new("taskkill.exe");
        command.args(["/T", "/PID", &leader.to_string()]);
        if force {
            command.arg("/F");
        }
        let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
