//! Service `settings`: method `all` (answer [`crate::manifest::SettingValues`]), method `set` ([`SetSetting`]).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Changes a setting of the engine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SetSetting {
    /// The call's context.
    pub context: crate::CallContext,
    /// Key from the manifest.
    pub key: String,
    /// Value of the key's kind.
    pub value: Value,
}
