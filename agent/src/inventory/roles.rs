//! What the machine is for, derived from its services, sockets and packages, with the evidence.

use serde::{Deserialize, Serialize};

use super::is_default;

/// Roles of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Roles {
    /// Roles by name.
    pub roles: Vec<Role>,
}

/// One role.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// `web_server`, `database_server`, `mail_server`, `dns_server`, `container_host`, `hypervisor`, ...
    pub name: String,
    /// Software that plays it, e.g. `nginx`.
    pub software: Vec<String>,
    /// It is in use: its service runs or its port is open; otherwise it is only installed.
    pub active: bool,
    /// What tells, e.g. `service nginx.service`, `port tcp/80`, `package nginx`.
    #[serde(skip_serializing_if = "is_default")]
    pub evidence: Vec<String>,
}
