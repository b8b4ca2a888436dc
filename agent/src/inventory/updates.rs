//! What could be upgraded, by the lists the machine has: nothing is downloaded to find out.

use serde::{Deserialize, Serialize};

use super::is_default;

/// Available updates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Updates {
    /// Package systems that were asked.
    pub managers: Vec<Manager>,
    /// Updates, by key.
    pub updates: Vec<Update>,
    /// The list was cut.
    #[serde(skip_serializing_if = "is_default")]
    pub truncated: bool,
}

/// A package system that was asked for updates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manager {
    /// As in [`super::packages::Package::manager`].
    pub name: String,
    /// When its lists were fetched, in Unix seconds: old lists know no new updates.
    #[serde(skip_serializing_if = "is_default")]
    pub lists_at: Option<i64>,
    /// Why it could not tell.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<String>,
}

/// One available update.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Update {
    /// The same as the installed package's key, `manager:name:arch`.
    pub key: String,
    /// Package.
    pub name: String,
    /// Architecture; empty where the package system has none.
    #[serde(skip_serializing_if = "is_default")]
    pub arch: String,
    /// Package system.
    pub manager: String,
    /// Version that is installed.
    pub installed: String,
    /// Version that would be installed.
    pub version: String,
    /// Closes a security hole, as far as the archive says.
    #[serde(skip_serializing_if = "is_default")]
    pub security: bool,
    /// Where it comes from, e.g. `Debian-Security`, or a repository's name.
    #[serde(skip_serializing_if = "is_default")]
    pub origin: String,
    /// Archive, e.g. `bookworm-security`.
    #[serde(skip_serializing_if = "is_default")]
    pub archive: String,
    /// To be downloaded, in bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub download_bytes: Option<u64>,
    /// The administrator keeps the installed version: an upgrade leaves it.
    #[serde(skip_serializing_if = "is_default")]
    pub held: bool,
    /// Percentage of machines that get it for now, where the archive phases its updates.
    #[serde(skip_serializing_if = "is_default")]
    pub phased_percent: Option<u8>,
}
