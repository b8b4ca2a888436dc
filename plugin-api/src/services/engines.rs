//! Service `engines`, method `call`: call another engine. The callee receives [`super::host_calls::ENGINE_CALL`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Call of another engine; `from` is filled in by the host.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineCall {
    /// Engine called.
    pub engine: String,
    /// Engine that calls; set by the host.
    pub from: String,
    /// The callee's method.
    pub method: String,
    /// Its argument.
    pub payload: Value,
}
