//! Service `secrets`, method `resolve`: the value of a secret by name. Each read is audited.

use serde::{Deserialize, Serialize};

/// Asks for a secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretRequest {
    /// The call's context.
    pub context: crate::CallContext,
    /// Name.
    pub name: String,
}

/// A secret's value. Keep it out of logs: `Debug` hides it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretValue {
    /// Value.
    pub value: String,
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretValue(..)")
    }
}
