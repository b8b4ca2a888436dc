//! `[engines]`: where engine packages come from and how they run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where engine packages come from and how they run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnginesConfig {
    /// Watched for `.engine` files; empty for `engines` in the data directory.
    pub directory: String,
    /// Largest package, in MiB.
    pub max_package_mib: u32,
    /// Mode of an engine unless an administrator switched it: `in-process` or `isolated`.
    pub default_mode: String,
    /// Mode by engine id, over the default.
    pub modes: BTreeMap<String, String>,
}

impl Default for EnginesConfig {
    fn default() -> Self {
        Self {
            directory: String::new(),
            max_package_mib: 256,
            default_mode: "in-process".into(),
            modes: BTreeMap::new(),
        }
    }
}
