//! The agent's own next version: fetched, verified here, tried beside the old one, and put back when it fails.
//!
//! A release lies in `releases/<version>/` of the data folder. The running agent hands itself over: it ends its session,
//! starts the new program as a child on trial, and waits until the host has welcomed that one. Then it becomes the new
//! program itself; otherwise it goes on as it was. Whatever starts the agent later starts the installed program, which
//! becomes the chosen release if that is newer than itself.

mod fetch;
mod trial;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use agent_protocol::release::Head;
use semver::Version;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use fetch::{UpdateError, stage};
pub use trial::{Tried, try_out};

use crate::{
    facts,
    storage::{DataDir, read_optional, write_private},
};

/// Set for a program on trial.
pub const ON_TRIAL: &str = "SYSMANAGE_AGENT_ON_TRIAL";
/// Largest file of ours.
const MAX_FILE: u64 = 64 << 10;

/// The version that runs, when it is that of a release.
static RUNNING: OnceLock<Version> = OnceLock::new();

/// A release that is in its folder, verified.
#[derive(Debug, Clone)]
pub struct Staged {
    /// Version.
    pub version: Version,
    /// The program.
    pub program: PathBuf,
    /// Seconds until the host must have welcomed it.
    pub within_s: u32,
}

/// Which release is to run, or why one does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Chosen {
    /// It runs; the host welcomed it.
    Confirmed {
        /// Version.
        version: Version,
    },
    /// It failed its trial.
    RolledBack {
        /// Version.
        version: Version,
        /// What happened.
        reason: String,
    },
}

/// Where a running command leaves the release that the agent shall become.
#[derive(Debug)]
pub struct Handover {
    staged: Mutex<Option<Staged>>,
    stop: CancellationToken,
}

impl Handover {
    /// `stop` ends the agent.
    pub fn new(stop: CancellationToken) -> Self {
        Self { staged: Mutex::new(None), stop }
    }

    /// End the agent, to become this one.
    pub fn to(&self, staged: Staged) {
        *self.staged.lock().unwrap_or_else(PoisonError::into_inner) = Some(staged);
        self.stop.cancel();
    }

    /// What the agent shall become, if it ended for that.
    pub fn take(&self) -> Option<Staged> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Folder of a release.
pub(crate) fn folder(data: &Path, version: &Version) -> PathBuf {
    data.join("releases").join(version.to_string())
}

fn program_in(folder: &Path) -> PathBuf {
    folder.join(format!("sysmanage-agent{}", std::env::consts::EXE_SUFFIX))
}

fn chosen_file(data: &Path) -> PathBuf {
    data.join("releases").join("chosen.json")
}

/// What was decided last.
pub fn chosen(data: &Path) -> Option<Chosen> {
    let bytes = read_optional(&chosen_file(data), MAX_FILE).ok()??;
    serde_json::from_slice(&bytes).ok()
}

fn choose(data: &Path, chosen: &Chosen) -> io::Result<()> {
    write_private(&chosen_file(data), &serde_json::to_vec(chosen)?)
}

/// The version that runs: that of the release it was started from, or the one it was built as.
pub fn running() -> Version {
    RUNNING.get().cloned().unwrap_or_else(built)
}

fn built() -> Version {
    facts::VERSION.parse().unwrap_or(Version::new(0, 0, 0))
}

/// Find out which version runs: a program in a release's folder is that release.
pub fn know_yourself(data: &Path) {
    let Ok(program) = std::env::current_exe() else { return };
    let Some(folder) = program.parent().filter(|folder| {
        let releases = data.join("releases").canonicalize().ok();
        releases.is_some() && folder.parent().map(Path::to_owned) == releases
    }) else {
        return;
    };
    let head = fs::read(folder.join("head")).ok().and_then(|bytes| Head::read(bytes.as_slice()).ok());
    if let Some(version) = head.and_then(|head| head.manifest.version.parse().ok()) {
        let _known = RUNNING.set(version);
    }
}

/// The program of the confirmed release, when it is newer than this one.
pub fn successor(data: &Path) -> Option<PathBuf> {
    let Some(Chosen::Confirmed { version }) = chosen(data) else { return None };
    if version <= running() {
        return None;
    }
    let folder = folder(data, &version);
    match fetch::check_stored(data, &folder) {
        Ok(()) => Some(program_in(&folder)),
        Err(error) => {
            tracing::error!(%error, %version, "the chosen release is not as it was; the installed agent runs");
            None
        }
    }
}

/// Become another program, with the same arguments. Returns only when that fails.
#[cfg(unix)]
pub fn become_program(program: &Path) -> io::Error {
    use std::os::unix::process::CommandExt;
    std::process::Command::new(program).args(arguments()).env_remove(ON_TRIAL).exec()
}

/// This system cannot replace a program by another: run it, and end with it.
#[cfg(not(unix))]
pub fn become_program(program: &Path) -> io::Error {
    match std::process::Command::new(program).args(arguments()).env_remove(ON_TRIAL).status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

fn arguments() -> Vec<OsString> {
    std::env::args_os().skip(1).collect()
}

/// Whether this program is on trial.
pub fn on_trial() -> bool {
    std::env::var_os(ON_TRIAL).is_some()
}

/// The host has welcomed this program: a trial is passed.
pub fn welcomed(data: &DataDir, session: Uuid) {
    if !on_trial() {
        return;
    }
    let mark = folder(data.path(), &running()).join("welcomed");
    if let Err(error) = write_private(&mark, session.to_string().as_bytes()) {
        tracing::error!(%error, "the trial's success cannot be noted; the old agent will be put back");
    }
}
