//! The list of permissions that exist now.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use serde::Serialize;
use utoipa::ToSchema;

use super::PermissionSet;

/// A permission and what it lets one do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Permission {
    /// Name, e.g. `machines:approve`.
    pub name: String,
    /// What it lets one do.
    pub description: String,
    /// The engine that adds it; absent for the host's own.
    pub engine: Option<String>,
    /// Built-in roles (`operator`, `viewer`) that hold it; `admin` holds everything.
    pub roles: Vec<String>,
}

/// The host's own permissions.
pub const CORE: &[(&str, &str)] = &[
    ("agents:manage", "bring in releases of the agent and roll them out"),
    ("agents:read", "see releases of the agent and rollouts"),
    ("audit:read", "read the audit log"),
    ("engines:install", "install, upgrade, roll back and uninstall engines"),
    ("engines:manage", "enable, disable, configure and grant capabilities to engines"),
    ("engines:read", "see engines and their state"),
    ("license:manage", "install and remove licences and revocation lists"),
    ("license:read", "see the licence and what it unlocks"),
    ("machines:approve", "approve or reject machines that ask to join"),
    ("machines:delete", "remove machines"),
    ("machines:enrol", "create and revoke enrolment tokens"),
    ("machines:power", "restart and shut down machines"),
    ("machines:read", "see machines and their inventory"),
    ("machines:update", "change names, tags and notes of machines"),
    ("metrics:read", "read the host's own metrics"),
    ("notifications:read", "read notifications"),
    ("operations:cancel", "cancel and retry operations"),
    ("operations:create", "run core commands on machines"),
    ("operations:read", "see operations and their output"),
    ("packages:manage", "install, remove and upgrade packages on machines"),
    ("roles:manage", "create, change and delete roles"),
    ("roles:read", "see roles and permissions"),
    ("searches:read", "see saved searches that are shared, and one's own"),
    ("searches:share", "save and change searches that everybody may use"),
    ("searches:write", "save searches for oneself"),
    ("secrets:manage", "set and delete secrets"),
    ("secrets:read", "see names of secrets, never their values"),
    ("services:manage", "start, stop and configure services on machines"),
    ("settings:manage", "change settings"),
    ("settings:read", "see settings"),
    ("tags:manage", "describe, rename and delete tags, and make them automatic"),
    ("tags:read", "see tags and how many machines have them"),
    ("users:manage", "create, change, disable and delete users"),
    ("users:read", "see users"),
];

/// Viewers read what is no secret of administration; operators also run things on machines.
fn core_roles(name: &str) -> Vec<String> {
    const OPERATOR_ONLY: &[&str] = &[
        "machines:approve",
        "machines:enrol",
        "machines:power",
        "machines:update",
        "operations:cancel",
        "operations:create",
        "packages:manage",
        "searches:share",
        "secrets:read",
        "services:manage",
    ];
    const ADMIN_ONLY: &[&str] = &["audit:read", "metrics:read", "users:read"];
    match name {
        "searches:write" => vec!["operator".into(), "viewer".into()],
        _ if OPERATOR_ONLY.contains(&name) => vec!["operator".into()],
        _ if name.ends_with(":read") && !ADMIN_ONLY.contains(&name) => {
            vec!["operator".into(), "viewer".into()]
        }
        _ => Vec::new(),
    }
}

/// Permissions of the host and of the engines that run. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    engines: Arc<RwLock<BTreeMap<String, Vec<Permission>>>>,
}

impl Registry {
    /// Replace the permissions of `engine`; each must begin with `<engine>:`, others are left out and returned.
    pub fn set_engine(&self, engine: &str, permissions: Vec<Permission>) -> Vec<Permission> {
        let prefix = format!("{engine}:");
        let (own, foreign) = permissions.into_iter().partition(|p: &Permission| p.name.starts_with(&prefix));
        self.engines.write().unwrap_or_else(|e| e.into_inner()).insert(engine.into(), own);
        foreign
    }

    /// Forget the permissions of `engine`; roles keep them for when it comes back.
    pub fn remove_engine(&self, engine: &str) {
        self.engines.write().unwrap_or_else(|e| e.into_inner()).remove(engine);
    }

    /// Every permission, sorted by name within host and engine.
    pub fn all(&self) -> Vec<Permission> {
        let core = CORE.iter().map(|(name, description)| Permission {
            name: (*name).into(),
            description: (*description).into(),
            engine: None,
            roles: core_roles(name),
        });
        let engines = self.engines.read().unwrap_or_else(|e| e.into_inner());
        core.chain(engines.values().flatten().cloned()).collect()
    }

    /// What the built-in role `role` allows now.
    pub fn of_role(&self, role: &str) -> PermissionSet {
        match role {
            "admin" => PermissionSet::new(["*"]),
            _ => PermissionSet::new(
                self.all().into_iter().filter(|p| p.roles.iter().any(|r| r == role)).map(|p| p.name),
            ),
        }
    }

    /// Every permission's name.
    pub fn names(&self) -> Vec<String> {
        self.all().into_iter().map(|p| p.name).collect()
    }
}
