//! Services and whether they run, as the machine's own service manager has them.

pub mod openrc;
pub mod systemd;
pub mod sysv;
pub mod units;

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

/// Services of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Services {
    /// Who runs them: `systemd`, `openrc`, `sysvinit`, `launchd`, `windows`, `rc` (the BSDs), `none`.
    pub manager: String,
    /// The service manager is installed but not running, so that states are not known.
    #[serde(skip_serializing_if = "is_default")]
    pub offline: bool,
    /// Services by name.
    pub services: Vec<Service>,
}

/// One service.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Name, with its suffix under systemd: `ssh.service`.
    pub name: String,
    /// In words; left out for services that neither run nor start.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// `running`, `stopped`, `exited` (did its work), `failed`, `starting`, `stopping`; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub state: Option<State>,
    /// Whether it starts with the machine: `enabled`, `disabled`, `static`, `masked`, `manual`, ... as the manager says.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: String,
}

/// What a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its process runs.
    Running,
    /// It does not run.
    Stopped,
    /// It did its work and left.
    Exited,
    /// It ended with an error.
    Failed,
    /// On its way up.
    Starting,
    /// On its way down.
    Stopping,
}

/// Services beyond this many are left out.
pub const MOST: usize = 4096;
/// A description is cut to so many characters.
const MOST_DESCRIPTION: usize = 60;

impl Service {
    /// A service without a description where nobody looks for one: it neither runs nor starts.
    pub fn new(name: &str, description: &str, state: Option<State>, enabled: &str) -> Self {
        let idle = matches!(state, None | Some(State::Stopped)) && !enabled.starts_with("enabled");
        Self {
            name: name.to_owned(),
            description: if idle {
                String::new()
            } else {
                description.trim().chars().take(MOST_DESCRIPTION).collect()
            },
            state,
            enabled: enabled.to_owned(),
        }
    }
}

impl Services {
    /// By name, each once.
    pub fn of(manager: &str, mut services: Vec<Service>) -> Self {
        services.sort();
        services.dedup_by(|later, first| later.name == first.name);
        services.truncate(MOST);
        Self { manager: manager.into(), offline: false, services }
    }
}

pub(super) fn collect(root: &Root) -> Result<Services, CollectError> {
    if root.path("run/systemd/system").exists() {
        return systemd::running(root);
    }
    if root.path("run/openrc/softlevel").exists() {
        return Ok(openrc::collect(root));
    }
    if systemd::FOLDERS.iter().any(|folder| root.path(folder).exists()) {
        return Ok(systemd::offline(root));
    }
    if root.path("etc/init.d").exists() {
        return Ok(sysv::collect(root));
    }
    Ok(Services { manager: "none".into(), ..Services::default() })
}
