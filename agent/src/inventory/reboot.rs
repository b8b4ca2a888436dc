//! Whether the machine should be restarted and why, and which services still run replaced code.

use serde::{Deserialize, Serialize};

use super::is_default;

/// What a restart would mend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reboot {
    /// The machine should be restarted.
    pub required: bool,
    /// Why.
    #[serde(skip_serializing_if = "is_default")]
    pub causes: Vec<Cause>,
    /// Release of the kernel that runs.
    #[serde(skip_serializing_if = "is_default")]
    pub running_kernel: String,
    /// Newest kernel installed; absent where there is no telling.
    #[serde(skip_serializing_if = "is_default")]
    pub newest_kernel: Option<String>,
    /// Services that need a restart: files they run from were replaced or removed.
    #[serde(skip_serializing_if = "is_default")]
    pub services: Vec<Stale>,
}

/// A reason to restart the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// `kind:name`, e.g. `package:linux-image-amd64`.
    pub key: String,
    /// `flag` (the package system asks), `package` (a package asks), `kernel` (a newer one is installed), `init` (process 1
    /// runs replaced code), `update` (an installed update waits for it).
    pub kind: String,
    /// In words.
    pub detail: String,
}

/// A service running replaced code.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Stale {
    /// The service's unit, or the program's name where it belongs to none.
    pub name: String,
    /// Some of the replaced files.
    pub files: Vec<String>,
    /// Stops with the session or the machine only: not a service.
    #[serde(skip_serializing_if = "is_default")]
    pub session: bool,
}
