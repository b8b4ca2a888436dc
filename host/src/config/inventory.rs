//! `[inventory]`: what is kept of machines' inventory.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What is kept of machines' inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InventoryConfig {
    /// For how many days changes are kept.
    pub history_days: u32,
}

impl Default for InventoryConfig {
    fn default() -> Self {
        Self { history_days: 180 }
    }
}

impl InventoryConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ConfigError::range("inventory.history_days", self.history_days.into(), 1..=3650)
    }
}
