//! The trial: the new program runs as a child of the old one until the host has welcomed it, or time is up.

use std::{io, path::Path, process::ExitStatus, time::Duration};

use tokio::process::{Child, Command};

use super::{Chosen, ON_TRIAL, Staged, arguments, choose, fetch, folder};
use crate::tasks::job::{Reach, Signal, Who};

/// How often to look whether it was welcomed.
const LOOK: Duration = Duration::from_millis(50);
/// How long it may take to end when it is told to.
const END: Duration = Duration::from_secs(25);

/// How the trial went.
#[derive(Debug)]
pub enum Tried {
    /// Become it.
    Passed,
    /// Go on as before.
    Failed,
    /// The agent was told to stop meanwhile.
    Stopped,
}

/// Try `staged` out. The folder and the spool must be free: the new program takes them.
pub async fn try_out(data: &Path, staged: &Staged, stopped: impl Future<Output = ()>) -> Tried {
    let reason = match start(staged) {
        Err(error) => format!("it cannot be started: {error}"),
        Ok(mut child) => {
            let patience = Duration::from_secs(staged.within_s.into());
            let reason = tokio::select! {
                welcome = welcome(data, staged, &mut child) => welcome.err(),
                () = tokio::time::sleep(patience) => {
                    Some(format!("the host had not welcomed it after {} seconds", staged.within_s))
                }
                () = stopped => {
                    end(&mut child).await;
                    return Tried::Stopped;
                }
            };
            end(&mut child).await;
            match reason {
                None => return passed(data, staged),
                Some(reason) => reason,
            }
        }
    };
    tracing::error!(version = %staged.version, reason, "the new agent failed its trial; the old one goes on");
    note(data, &Chosen::RolledBack { version: staged.version.clone(), reason });
    if let Err(error) = std::fs::remove_dir_all(folder(data, &staged.version)) {
        tracing::warn!(%error, "the release that failed cannot be removed");
    }
    Tried::Failed
}

fn passed(data: &Path, staged: &Staged) -> Tried {
    if note(data, &Chosen::Confirmed { version: staged.version.clone() }) {
        fetch::tidy(data, &staged.version);
        Tried::Passed
    } else {
        Tried::Failed
    }
}

fn note(data: &Path, chosen: &Chosen) -> bool {
    let noted = choose(data, chosen);
    if let Err(error) = &noted {
        tracing::error!(%error, "how the trial went cannot be written down");
    }
    noted.is_ok()
}

fn start(staged: &Staged) -> io::Result<Child> {
    let mut command = Command::new(&staged.program);
    command.args(arguments()).env(ON_TRIAL, "1").kill_on_drop(true);
    command.spawn()
}

/// Until it was welcomed; an error when it ends before.
async fn welcome(data: &Path, staged: &Staged, child: &mut Child) -> Result<(), String> {
    let mark = folder(data, &staged.version).join("welcomed");
    loop {
        if mark.exists() {
            return Ok(());
        }
        tokio::select! {
            ended = child.wait() => return Err(told(ended)),
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

fn told(ended: io::Result<ExitStatus>) -> String {
    match ended {
        Ok(status) => format!("it ended at once ({status})"),
        Err(error) => format!("it is not there any more: {error}"),
    }
}

/// Tell it to end, then make it.
async fn end(child: &mut Child) {
    let Some(pid) = child.id() else { return };
    if let Err(error) = Who::of(pid).signal(Signal::Terminate, Reach::Process) {
        tracing::debug!(%error, "the program on trial cannot be told to end");
    }
    if tokio::time::timeout(END, child.wait()).await.is_err() {
        drop(child.kill().await);
    }
}
