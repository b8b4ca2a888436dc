//! Services and whether they run, as the machine's own service manager has them.

use serde::{Deserialize, Serialize};

use super::is_default;

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
