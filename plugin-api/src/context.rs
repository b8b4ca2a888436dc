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
    /// UUID of the user behind the actor, also when one of their tokens acts; `None` for jobs and the system.
    pub user: Option<String>,
    /// Names of the roles the actor holds, e.g. `operator`; what an engine shares things with.
    pub roles: BTreeSet<String>,
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
    /// Who answers for the call: `user:<uuid>` also when a token of that user acts, else the actor. Two calls with
    /// the same principal are the same person's, which is what a two-person rule compares.
    pub fn principal(&self) -> String {
        match &self.user {
            Some(user) => format!("user:{user}"),
            None => self.actor.clone(),
        }
    }

    /// Whether the actor holds `permission`.
    pub fn allows(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }
}
