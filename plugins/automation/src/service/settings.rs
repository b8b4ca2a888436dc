//! Settings of the engine, as an administrator set them, within limits.

use serde_json::Value;

use super::Service;
use crate::{error::Result, model::limits};

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Seconds a script may run when neither it nor the run says.
    pub default_timeout_s: u32,
    /// Bytes of output kept of one machine.
    pub output_limit_bytes: u64,
    /// Whether every run needs approval, not only those of privileged scripts.
    pub require_approval: bool,
    /// Hours an approval may be decided and used.
    pub approval_hours: u32,
    /// Days ended runs are kept; 0 for ever.
    pub retention_days: u32,
}

impl Service {
    /// The settings as they are now.
    pub(super) async fn settings(&self) -> Result<Settings> {
        let all = self.host.settings().all().await?;
        let number = |key: &str, default: u64, least: u64, most: u64| {
            all.get(key).and_then(Value::as_u64).unwrap_or(default).clamp(least, most)
        };
        let small =
            |key, default, least, most| u32::try_from(number(key, default, least, most)).unwrap_or(u32::MAX);
        Ok(Settings {
            default_timeout_s: small("default_timeout_s", 300, 1, limits::TIMEOUT_S.into()),
            output_limit_bytes: number("output_limit_kib", 1_024, 1, limits::OUTPUT_BYTES / 1_024) * 1_024,
            require_approval: all.get("require_approval").and_then(Value::as_bool).unwrap_or(false),
            approval_hours: small("approval_hours", 24, 1, 24 * 30),
            retention_days: small("retention_days", 365, 0, 36_500),
        })
    }

    /// Tell live streams to look.
    pub(super) fn wake(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}
