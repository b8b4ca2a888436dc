//! What the machine is for, derived from its services, sockets and packages, with the evidence.

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

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

mod table;

use super::{
    packages::Packages,
    services::{Services, State},
    sockets::Sockets,
};
pub use table::{SOFTWARE, Software};

/// Pieces of evidence told for one role.
const MOST_EVIDENCE: usize = 12;

pub(super) fn collect(root: &Root) -> Result<Roles, CollectError> {
    let services: Services = super::read(root, "services");
    let sockets: Sockets = super::read(root, "sockets");
    let packages: Packages = super::read(root, "packages");
    Ok(derive(&services, &sockets, &packages))
}

/// The roles that services, sockets and packages speak for.
pub fn derive(services: &Services, sockets: &Sockets, packages: &Packages) -> Roles {
    let mut roles: Vec<Role> = Vec::new();
    for software in SOFTWARE {
        let Some((active, evidence)) = evidence(software, services, sockets, packages) else { continue };
        let at = roles.iter().position(|role| role.name == software.role).unwrap_or_else(|| {
            roles.push(Role { name: software.role.into(), ..Role::default() });
            roles.len() - 1
        });
        let role = &mut roles[at];
        role.active |= active;
        role.software.push(software.name.into());
        role.evidence.extend(evidence);
    }
    for role in &mut roles {
        role.evidence.truncate(MOST_EVIDENCE);
    }
    roles.sort();
    Roles { roles }
}

/// What speaks for a piece of software, and whether it is in use.
fn evidence(
    software: &Software,
    services: &Services,
    sockets: &Sockets,
    packages: &Packages,
) -> Option<(bool, Vec<String>)> {
    let mut evidence = Vec::new();
    for service in services.services.iter().filter(|service| software.is_service(&service.name)) {
        if matches!(service.state, Some(State::Running | State::Exited | State::Starting)) {
            evidence.push(format!("service {}", service.name));
        }
    }
    for socket in
        sockets.sockets.iter().filter(|socket| software.processes.contains(&socket.process.as_str()))
    {
        evidence.push(format!("port {}/{}", socket.protocol, socket.port));
    }
    let active = !evidence.is_empty();
    let installed = packages.packages.iter().filter(|package| software.is_package(&package.name));
    evidence.extend(installed.map(|package| format!("package {}", package.name)).take(3));
    evidence.sort();
    evidence.dedup();
    (!evidence.is_empty()).then_some((active, evidence))
}
