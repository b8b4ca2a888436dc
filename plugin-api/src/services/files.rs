//! Service `files`: methods `put`, `get`, `delete`, `list` on the engine's private folder.

use serde::{Deserialize, Serialize};

/// Payload of every method; unused fields stay empty.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileCall {
    /// Relative path; for `list` a prefix.
    pub path: String,
    /// Content for `put`, base64.
    pub content_base64: String,
}

/// Answer of `get` (content) and `list` (entries).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileAnswer {
    /// Content, base64.
    pub content_base64: String,
    /// Paths and sizes in bytes.
    pub entries: Vec<(String, u64)>,
}
