//! Service `audit`, method `record`: an audit event of the engine. Answer empty.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A change made by the engine for an actor.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditRecord {
    /// The call's context; actor and request id are taken from it.
    pub context: crate::CallContext,
    /// Past tense, prefixed by the engine: `automation.script.created`.
    pub action: String,
    /// Kind of the entity: `automation.script`.
    pub entity_kind: String,
    /// Id of the entity.
    pub entity_id: String,
    /// State before, null when created.
    pub before: Value,
    /// State after, null when deleted.
    pub after: Value,
}
