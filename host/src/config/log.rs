//! `[log]`: what is logged and how.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Levels, e.g. `info` or `info,sysmanage::engines=debug`.
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "info,sqlx=warn,sea_orm_migration=warn,tower_http=warn".into(),
            format: LogFormat::Text,
        }
    }
}

impl LogConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        tracing_subscriber::EnvFilter::try_new(&self.filter)
            .map(drop)
            .map_err(|error| ConfigError::value("log.filter", error.to_string()))
    }
}
