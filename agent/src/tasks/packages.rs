//! Packages: one interface over every package manager. What to run is worked out by pure functions ([`Plan`]); the run
//! itself is a job that outlives the agent.

mod apt;
mod changes;
mod failure;
mod table;
mod work;

use std::{collections::BTreeMap, path::PathBuf};

use agent_protocol::core_command::{CoreCommand, Manager};
use serde::{Deserialize, Serialize};

pub(super) use changes::installed;
pub use failure::Failure;
pub(super) use work::{finish, progress, run};

/// What to do, whatever the manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which change.
    pub action: Action,
    /// Say what would happen, change nothing.
    pub dry_run: bool,
    /// Seconds to wait for another run's lock.
    pub lock_wait_s: u32,
}

/// A change of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Install these.
    Install(Vec<String>),
    /// Remove these.
    Remove {
        /// Which.
        packages: Vec<String>,
        /// With their configuration.
        purge: bool,
        /// With what was installed only for them.
        autoremove: bool,
    },
    /// Bring up to date.
    Upgrade(Upgrading),
    /// Fetch the lists anew.
    Refresh,
}

/// What to bring up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrading {
    /// Everything.
    All,
    /// These, where they are installed.
    Some(Vec<String>),
    /// What mends a weakness.
    Security,
}

/// Seconds to wait for a lock when nobody says.
const LOCK_WAIT_S: u32 = 120;

impl Request {
    /// The request of a packages command, with the manager it names.
    pub fn of(command: &CoreCommand) -> Option<(Self, Option<Manager>)> {
        use CoreCommand as C;
        let (action, dry_run, lock_wait_s, manager) = match command {
            C::Install(c) => (Action::Install(c.packages.clone()), c.dry_run, c.lock_wait_s, c.manager),
            C::Remove(c) => {
                let (purge, autoremove) = (c.purge, c.autoremove);
                let action = Action::Remove { packages: c.packages.clone(), purge, autoremove };
                (action, c.dry_run, c.lock_wait_s, c.manager)
            }
            C::Upgrade(c) => {
                let what = match (c.security_only, c.packages.is_empty()) {
                    (true, _) => Upgrading::Security,
                    (false, true) => Upgrading::All,
                    (false, false) => Upgrading::Some(c.packages.clone()),
                };
                (Action::Upgrade(what), c.dry_run, c.lock_wait_s, c.manager)
            }
            C::Refresh(c) => (Action::Refresh, false, c.lock_wait_s, c.manager),
            _ => return None,
        };
        Some((Self { action, dry_run, lock_wait_s: lock_wait_s.unwrap_or(LOCK_WAIT_S) }, manager))
    }
}

/// One program to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Program, looked up in the path.
    pub program: String,
    /// Arguments; [`STATUS_FD`] becomes the number of a descriptor to write progress to.
    pub args: Vec<String>,
}

/// Programs to run one after the other, until one fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// Environment besides the agent's own.
    pub env: BTreeMap<String, String>,
}

/// Stands for the descriptor that a program writes its progress to.
pub const STATUS_FD: &str = "{status_fd}";

/// A manager cannot do what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{manager} cannot {what}.")]
pub struct Unsupported {
    /// The manager.
    pub manager: Manager,
    /// What it cannot.
    pub what: &'static str,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exit {
    /// Exit code, where there is one.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// Why the program could not be started.
    pub not_started: Option<String>,
}

/// A package manager.
pub trait PackageManager: Sync {
    /// Which.
    fn manager(&self) -> Manager;
    /// Its program.
    fn program(&self) -> &str;
    /// What to run for a request. Pure: nothing is looked at.
    fn plan(&self, request: &Request) -> Result<Plan, Unsupported>;
    /// A harmless run that must come first, to learn which packages a request means.
    fn survey(&self, _request: &Request) -> Option<Plan> {
        None
    }
    /// The request that the survey's output makes of `request`.
    fn surveyed(&self, request: &Request, _output: &str) -> Request {
        request.clone()
    }
    /// Why a run did not succeed; `None` when it did. `output` is the end of what it printed.
    fn failure(&self, exit: &Exit, output: &str, request_was_dry: bool) -> Option<Failure>;
}

/// The manager of this name.
pub fn manager(manager: Manager) -> &'static dyn PackageManager {
    match manager {
        Manager::Apt => &apt::Apt,
        other => table::of(other),
    }
}

/// The system's own managers, the likeliest first.
const NATIVE: [Manager; 9] = [
    Manager::Apt,
    Manager::Dnf,
    Manager::Zypper,
    Manager::Pacman,
    Manager::Apk,
    Manager::Pkg,
    Manager::PkgAdd,
    Manager::Pkgin,
    Manager::Winget,
];

/// The system's own manager: the first whose program is here.
pub fn native() -> Option<&'static dyn PackageManager> {
    let brew = [Manager::Brew, Manager::Choco];
    NATIVE.into_iter().chain(brew).map(manager).find(|manager| find_program(manager.program()).is_some())
}

/// Where a program is, looked up in the path and in the folders of administrators.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual =
        ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(usual.map(PathBuf::from)).collect();
    let names = [name.to_owned(), format!("{name}{}", std::env::consts::EXE_SUFFIX)];
    folders.iter().flat_map(|folder| names.iter().map(|n| folder.join(n))).find(|file| file.is_file())
}

#[cfg(test)]
mod golden;
