//! Host services an engine may ask for. The manifest asks, an administrator grants; a service that is not
//! granted is absent from the table the engine receives.

use serde::{Deserialize, Serialize};

/// A host service, named in the manifest's `capabilities` and in [`crate::abi::ServiceEntry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Own tables, and the `v1_*` views the manifest lists.
    Sql,
    /// Select and read machines.
    Machines,
    /// Read inventory sections.
    Inventory,
    /// Run commands on machines.
    Operations,
    /// Publish events, and receive those the manifest subscribes to.
    Events,
    /// Fetch from the origins the manifest lists.
    Http,
    /// Resolve secret references.
    Secrets,
    /// Read the engine's settings.
    Settings,
    /// A private folder with a quota.
    Files,
    /// Timers that outlive a restart.
    Jobs,
    /// Record audit events.
    Audit,
    /// Notify people.
    Notify,
    /// Offer data sets to reports.
    Reports,
    /// Call other engines.
    Engines,
    /// Read which licences are installed and what they grant.
    Licenses,
}

impl Capability {
    /// Every capability, in the order shown to administrators.
    pub const ALL: [Capability; 15] = [
        Self::Sql,
        Self::Machines,
        Self::Inventory,
        Self::Operations,
        Self::Events,
        Self::Http,
        Self::Secrets,
        Self::Settings,
        Self::Files,
        Self::Jobs,
        Self::Audit,
        Self::Notify,
        Self::Reports,
        Self::Engines,
        Self::Licenses,
    ];

    /// The snake_case name used in manifests, the API and the service table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Machines => "machines",
            Self::Inventory => "inventory",
            Self::Operations => "operations",
            Self::Events => "events",
            Self::Http => "http",
            Self::Secrets => "secrets",
            Self::Settings => "settings",
            Self::Files => "files",
            Self::Jobs => "jobs",
            Self::Audit => "audit",
            Self::Notify => "notify",
            Self::Reports => "reports",
            Self::Engines => "engines",
            Self::Licenses => "licenses",
        }
    }

    /// What granting it lets the engine do, for the administrator who decides.
    pub fn describes(self) -> &'static str {
        match self {
            Self::Sql => "keep its own tables and read the listed views",
            Self::Machines => "select machines and read their names, tags and systems",
            Self::Inventory => "read what machines report about themselves",
            Self::Operations => "run its commands on machines",
            Self::Events => "publish events and receive the listed ones",
            Self::Http => "connect to the listed internet origins",
            Self::Secrets => "read the values of secrets by name",
            Self::Settings => "read and change its own settings",
            Self::Files => "keep files in a private folder",
            Self::Jobs => "run at set times",
            Self::Audit => "write to the audit log",
            Self::Notify => "notify people",
            Self::Reports => "offer data to reports",
            Self::Engines => "call other engines",
            Self::Licenses => "read which licences are installed and what they grant",
        }
    }
}

impl std::fmt::Display for Capability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
