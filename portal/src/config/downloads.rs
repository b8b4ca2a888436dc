//! `[downloads]`: how many at once.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How many downloads run at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DownloadsConfig {
    /// Of everybody together.
    pub at_once: usize,
    /// Of one organisation.
    pub at_once_per_organisation: usize,
    /// A download that takes no bytes for so long is ended, in seconds.
    pub stall_timeout_s: u64,
}

impl Default for DownloadsConfig {
    fn default() -> Self {
        Self { at_once: 512, at_once_per_organisation: 16, stall_timeout_s: 60 }
    }
}

impl DownloadsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ConfigError::range("downloads.at_once", self.at_once as u64, 1..=100_000)?;
        let own = self.at_once_per_organisation as u64;
        ConfigError::range("downloads.at_once_per_organisation", own, 1..=10_000)?;
        ConfigError::range("downloads.stall_timeout_s", self.stall_timeout_s, 1..=3600)
    }
}
