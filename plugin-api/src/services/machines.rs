//! Service `machines`: method `select` ([`Select`] -> [`Selected`]), method `get` ([`MachineId`] -> [`Machine`]).
//! Service `inventory`: method `section` ([`SectionRequest`] -> JSON of the section).

use serde::{Deserialize, Serialize};

/// Selects machines the actor may see.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Select {
    /// The call's context: its scope limits the answer.
    pub context: crate::CallContext,
    /// Selector, e.g. `os:debian tag:web`.
    pub selector: String,
    /// At most so many; 0 for the host's maximum.
    pub limit: u32,
    /// Continue after this machine id.
    pub after: Option<String>,
}

/// A page of machines, ordered by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Selected {
    /// Machines.
    pub machines: Vec<Machine>,
    /// All that match.
    pub total: u64,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// A machine's id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineId {
    /// UUID.
    pub id: String,
}

/// A machine, as engines see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// UUID.
    pub id: String,
    /// Name shown.
    pub name: String,
    /// `linux`, `windows`, `macos`, `freebsd`, ...
    pub os_family: String,
    /// E.g. `debian`.
    pub os_name: String,
    /// E.g. `12`.
    pub os_version: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Whether its agent is connected.
    pub online: bool,
}

/// Asks for an inventory section.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SectionRequest {
    /// Machine UUID.
    pub machine_id: String,
    /// Section name, e.g. `packages`.
    pub section: String,
}
