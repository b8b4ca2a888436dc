//! `[releases]`: what must be true of a package before customers see it.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What must be true of a package before customers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReleasesConfig {
    /// Whether a version needs a conformance report to be in channel `stable` or `lts`.
    pub needs_report: bool,
    /// Rust target triples that packages may hold.
    pub targets: Vec<String>,
    /// Targets without which a version is not in channel `stable` or `lts`.
    pub required_targets: Vec<String>,
}

impl Default for ReleasesConfig {
    fn default() -> Self {
        let targets = [
            "x86_64-unknown-linux-gnu",
            "aarch64-unknown-linux-gnu",
            "x86_64-unknown-linux-musl",
            "aarch64-unknown-linux-musl",
            "x86_64-unknown-freebsd",
            "x86_64-apple-darwin",
            "aarch64-apple-darwin",
            "x86_64-pc-windows-msvc",
        ];
        Self {
            needs_report: true,
            targets: targets.map(str::to_owned).to_vec(),
            required_targets: vec!["x86_64-unknown-linux-gnu".into()],
        }
    }
}

impl ReleasesConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let missing = self.required_targets.iter().find(|target| !self.targets.contains(target));
        match missing {
            Some(target) => {
                let why = format!("`{target}` is required, and is not in releases.targets");
                Err(ConfigError::value("releases.required_targets", why))
            }
            None => Ok(()),
        }
    }
}
