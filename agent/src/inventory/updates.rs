//! What could be upgraded, by the lists the machine has: nothing is downloaded to find out.

pub mod apt;
pub mod others;
pub mod pins;
pub mod release;

use serde::{Deserialize, Serialize};

use super::{
    CollectError, is_default,
    packages::{self, Packages},
    source::Root,
};

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

/// Updates beyond this many are left out.
const MOST: usize = 20_000;

pub(super) fn collect(root: &Root) -> Result<Updates, CollectError> {
    let installed: Packages = super::read(root, "packages");
    let found: Vec<(Manager, Vec<Update>)> =
        apt::collect(root, &installed).into_iter().chain(others::collect(root, &installed)).collect();
    if found.is_empty() {
        return Err(CollectError::NotSupported);
    }
    Ok(Updates::of(found))
}

impl Updates {
    /// Managers and updates in their order, each once.
    pub fn of(found: Vec<(Manager, Vec<Update>)>) -> Self {
        let (mut managers, updates): (Vec<Manager>, Vec<Vec<Update>>) = found.into_iter().unzip();
        let mut updates: Vec<Update> = updates.into_iter().flatten().collect();
        managers.sort_by(|a, b| a.name.cmp(&b.name));
        updates.sort();
        updates.dedup_by(|later, first| later.key == first.key);
        let truncated = updates.len() > MOST;
        updates.truncate(MOST);
        Self { managers, updates, truncated }
    }
}

impl Update {
    /// With its key; what is installed is looked up in the inventory when the manager does not tell.
    pub fn new(manager: &str, name: &str, arch: &str, installed: &str, version: &str) -> Self {
        Self {
            key: packages::key(manager, name, arch),
            name: name.into(),
            arch: arch.into(),
            manager: manager.into(),
            installed: installed.into(),
            version: version.into(),
            ..Self::default()
        }
    }
}
