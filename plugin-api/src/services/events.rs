//! Service `events`, method `publish`, and the events an engine receives.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event. Topics of an engine start with `<engine>.`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Past tense: `machine.approved`.
    pub topic: String,
    /// Machine it concerns.
    pub machine_id: Option<String>,
    /// Permission needed to see it over SSE; the engine's own.
    pub permission: Option<String>,
    /// Facts.
    pub data: Value,
}
