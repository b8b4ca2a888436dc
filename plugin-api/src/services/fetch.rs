//! Service `http`, method `fetch`: an outgoing request to a granted origin.

use serde::{Deserialize, Serialize};

/// A request. Redirects are followed within the granted origins only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FetchRequest {
    /// `GET` when empty.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body, base64.
    pub body_base64: String,
    /// Deadline in milliseconds; the host caps it.
    pub timeout_ms: u32,
}

/// The answer; bodies over the host's limit are an error.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FetchResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body, base64.
    pub body_base64: String,
}
