//! The sections of a manifest.

use std::collections::BTreeMap;

use semver::VersionReq;
use serde::{Deserialize, Serialize};

use crate::Capability;

/// Host services asked for, each with its limits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capabilities {
    /// Services without limits of their own: `uses = ["sql", "machines"]`.
    pub uses: Vec<Capability>,
    /// Views the engine reads, e.g. `v1_machines`. Needs `sql`.
    pub views: Vec<String>,
    /// Topics it receives, `*` as last part allowed: `machine.*`. Needs `events`.
    pub subscribes: Vec<String>,
    /// Origins it fetches from: `https://api.example.org`. Needs `http`.
    pub origins: Vec<String>,
    /// Quota of its private folder in MiB. Needs `files`.
    pub files_mib: Option<u32>,
}

/// A permission that roles may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// `<engine>:<resource>:<verb>`.
    pub name: String,
    /// What it allows.
    pub description: String,
    /// Built-in roles that hold it when the engine is installed: `operator`, `viewer` (admin always does).
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A setting of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// snake_case key.
    pub key: String,
    /// What it does, with its unit.
    pub description: String,
    /// Kind of value.
    pub kind: SettingKind,
    /// Value when nobody changed it.
    pub default: toml::Value,
}

/// Kind of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// true or false.
    Boolean,
    /// Whole number.
    Integer,
    /// Text.
    Text,
    /// Name of a secret.
    Secret,
}

/// What the console loads of the package's `ui/` folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ui {
    /// The module that registers the pages, below `ui/`: `index.js`.
    pub entry: String,
    /// Style sheets, below `ui/`.
    #[serde(default)]
    pub styles: Vec<String>,
}

/// A console page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Navigation {
    /// Label.
    pub label: String,
    /// Path below the engine's page, e.g. `scripts`.
    pub path: String,
    /// Permission that shows it.
    pub permission: Option<String>,
}

/// A command of the agent half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    /// snake_case name.
    pub name: String,
    /// What it does on the machine.
    pub description: String,
    /// Longest run in seconds when the operation sets no deadline.
    pub timeout_s: u32,
}

/// Another engine this one calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// Engine id.
    pub id: String,
    /// Versions it works with.
    pub version: VersionReq,
    /// Whether it starts without it.
    #[serde(default)]
    pub optional: bool,
}

/// Settings by key, as an engine reads them.
pub type SettingValues = BTreeMap<String, serde_json::Value>;
