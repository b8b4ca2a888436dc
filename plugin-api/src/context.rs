//! Who calls, with which rights, until when: what a front door of the host tells the engine of a call.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Context of one call, built only by the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallContext {
    /// Who acts: `user:<uuid>`, `token:<uuid>`, `job:<name>`, `system`.
    pub actor: String,
    /// Name to show for the actor.
    pub actor_name: String,
    /// The engine's own permissions that the actor holds, e.g. `automation:scripts:run`.
    pub permissions: BTreeSet<String>,
    /// Selector that limits which machines the actor may see; empty for all.
    pub scope: String,
    /// Request id, also in the host's log and audit trail.
    pub request_id: String,
    /// When the caller stops waiting, in milliseconds since the Unix epoch; 0 for none.
    pub deadline_unix_ms: i64,
    /// Address of the client, where there is one.
    pub client_ip: Option<String>,
}

impl CallContext {
    /// Whether the actor holds `permission`.
    pub fn allows(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }
}
