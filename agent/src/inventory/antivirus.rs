//! Protection against malware: what is installed, whether it runs, and how old its knowledge is.

use serde::{Deserialize, Serialize};

use super::is_default;

/// Antivirus products.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Antivirus {
    /// Products that are installed.
    pub products: Vec<Product>,
}

/// One product.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Product {
    /// `clamav`, `defender`, `sophos`, `crowdstrike`, ...
    pub name: String,
    /// Version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Its scanner runs.
    pub running: bool,
    /// Looks at files as they are opened; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub real_time: Option<bool>,
    /// Its definitions are kept up to date by a running service; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub updates_itself: Option<bool>,
    /// Version of its definitions.
    #[serde(skip_serializing_if = "is_default")]
    pub definitions: String,
    /// When its definitions were made, in Unix seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub definitions_at: Option<i64>,
}
