//! The one error that crosses the boundary: a stable code, a sentence, and where useful an HTTP status.

use serde::{Deserialize, Serialize};

/// An error of a call between host and engine, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message} ({code})")]
pub struct EngineError {
    /// Stable snake_case code, e.g. `not_granted`.
    pub code: String,
    /// What is wrong and what to do next.
    pub message: String,
}

impl EngineError {
    /// An error with a stable code and a sentence.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
    /// The engine has no such method, command, job or event handler.
    pub fn unknown(what: &str, name: &str) -> Self {
        Self::new("unknown_method", format!("This engine has no {what} `{name}`."))
    }
    /// A payload that does not parse.
    pub fn bad_payload(error: impl std::fmt::Display) -> Self {
        Self::new("bad_payload", format!("The payload does not parse: {error}."))
    }
    /// A panic, caught by the SDK's guard.
    pub fn panicked(what: &str) -> Self {
        Self::new("engine_panicked", format!("The engine panicked in {what}; its report is in the log."))
    }
}

/// Encode a payload; the types of [`crate::services`] cannot fail to serialise.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(value).map_err(EngineError::bad_payload)
}

/// Decode a payload.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, EngineError> {
    serde_json::from_slice(bytes).map_err(EngineError::bad_payload)
}
