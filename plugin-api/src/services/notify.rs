//! Service `notify`, method `send`: tell people through the host's channels.

use serde::{Deserialize, Serialize};

/// A notification.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Notification {
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// One line.
    pub title: String,
    /// Text.
    pub body: String,
    /// Permission of those told; the engine's own.
    pub permission: Option<String>,
}
