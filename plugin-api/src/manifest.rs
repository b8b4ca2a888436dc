//! `plugin.toml`: what an engine is, needs and brings. Its exact bytes are what the publisher signs.

mod files;
mod parts;
mod validate;

use chrono::{DateTime, Utc};
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

pub use files::{FileEntry, Sha256Hex};
pub use parts::*;
pub use validate::ManifestError;

/// Largest `plugin.toml` that is read, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// An engine's manifest. Unknown keys are refused, so that a typing error cannot drop a limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Id: `[a-z][a-z0-9_]{1,39}`; prefixes tables, permissions and commands.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Version of the engine.
    pub version: Version,
    /// When it was built; what a licence's `support_until` is compared with.
    pub built_at: DateTime<Utc>,
    /// Who publishes it; must match the signing certificate's subject.
    pub publisher: String,
    /// `free`, `professional` or `enterprise`; for display, never a right.
    pub tier: String,
    /// plugin-api versions it runs with.
    pub api: VersionReq,
    /// Host versions it runs with.
    #[serde(default = "any")]
    pub host: VersionReq,
    /// Agent versions its agent half runs with.
    #[serde(default = "any")]
    pub agent: VersionReq,
    /// The engine named by a licence; `None` for an engine that needs none.
    pub entitlement: Option<String>,
    /// Host services asked for.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Permissions it adds; each starts with `<id>:`.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// Settings an administrator may change.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// The console pages in the package's `ui/` folder; absent for an engine without pages.
    #[serde(default)]
    pub ui: Option<Ui>,
    /// Entries in the console's navigation.
    #[serde(default)]
    pub navigation: Vec<Navigation>,
    /// Commands of the agent half, without prefix.
    #[serde(default)]
    pub commands: Vec<CommandSpec>,
    /// Routes that stay open when the licence is read-only although they are not GET, e.g. exports.
    #[serde(default)]
    pub export_routes: Vec<String>,
    /// Engines it calls, with the versions it works with.
    #[serde(default)]
    pub depends_on: Vec<Dependency>,
    /// Rust target triples that `lib/` holds.
    pub targets: Vec<String>,
    /// Every other file of the package.
    #[serde(default)]
    pub files: Vec<FileEntry>,
}

fn any() -> VersionReq {
    VersionReq::STAR
}

impl Manifest {
    /// Parse and validate the bytes of `plugin.toml`.
    ///
    /// # Errors
    /// [`ManifestError`] names the key and what is expected.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::NotUtf8)?;
        let manifest: Self = toml::from_str(text).map_err(|e| ManifestError::Syntax(e.to_string()))?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// Render as TOML, for signing.
    ///
    /// # Errors
    /// [`ManifestError::Syntax`] when a value has no TOML form.
    pub fn to_toml(&self) -> Result<String, ManifestError> {
        toml::to_string(self).map_err(|e| ManifestError::Syntax(e.to_string()))
    }

    /// File name of the library for `target`, e.g. `lib/x86_64-unknown-linux-gnu/libautomation.so`.
    pub fn library_path(&self, target: &str) -> String {
        Self::library_path_of(&self.id, target)
    }

    /// The same for an engine's id.
    pub fn library_path_of(id: &str, target: &str) -> String {
        let name = if target.contains("windows") {
            format!("{id}.dll")
        } else if target.contains("apple") {
            format!("lib{id}.dylib")
        } else {
            format!("lib{id}.so")
        };
        format!("lib/{target}/{name}")
    }

    /// The name agents and operations use for a command: `<id>.<command>`.
    pub fn qualified_command(&self, command: &str) -> String {
        format!("{}.{command}", self.id)
    }
}
