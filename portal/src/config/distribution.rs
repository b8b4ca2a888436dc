//! `[distribution]`: the keys that sign what hosts fetch through TUF.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Keys of the roles. Each is a list of PEM files: those sign that the root names. Empty for the development key, which a
/// release build has not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DistributionConfig {
    /// The first root, signed. Empty for the development root.
    pub root_file: String,
    /// Keys of the root. They are needed to change it, never to serve: keep them elsewhere.
    pub root_key_files: Vec<String>,
    /// Keys of the timestamp.
    pub timestamp_key_files: Vec<String>,
    /// Keys of the snapshot.
    pub snapshot_key_files: Vec<String>,
    /// Keys of the vendor's targets.
    pub targets_key_files: Vec<String>,
    /// Keys that sign what publishers distribute.
    pub publisher_key_files: Vec<String>,
}

impl DistributionConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, files) in [
            ("distribution.root_key_files", &self.root_key_files),
            ("distribution.timestamp_key_files", &self.timestamp_key_files),
            ("distribution.snapshot_key_files", &self.snapshot_key_files),
            ("distribution.targets_key_files", &self.targets_key_files),
            ("distribution.publisher_key_files", &self.publisher_key_files),
        ] {
            if files.len() > 16 || files.iter().any(String::is_empty) {
                return Err(ConfigError::value(key, "at most 16 files, none of them empty"));
            }
        }
        Ok(())
    }
}
