//! What targets say of themselves.

use chrono::{DateTime, Utc};
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use tough::schema::Target;

use crate::DistributionError;

/// The signed revocation list; absent while there is none.
pub const REVOCATIONS: &str = "revocations.jws";
/// A list of [`Advisory`].
pub const ADVISORIES: &str = "advisories.json";
/// The lowest good version of engines: an object of versions by engine.
pub const FLOORS: &str = "floors.json";

/// Where an engine's package for one target lies.
pub fn engine_path(engine: &str, version: &Version, target: &str) -> String {
    format!("engines/{engine}/{version}/{target}.engine")
}

/// What is signed about a package for one target (`custom` of its target in TUF).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineRelease {
    /// Id of the engine.
    pub engine: String,
    /// Version.
    pub version: Version,
    /// Channel: `stable`, `beta`, `lts`.
    pub channel: String,
    /// Rust target triple.
    pub target: String,
    /// Name of the engine.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Who publishes it.
    pub publisher: String,
    /// Tier.
    pub tier: String,
    /// What a licence must name; absent for an engine that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entitlement: Option<String>,
    /// What it runs with: `{"api", "host", "agent"}`, as its manifest says.
    pub requires: serde_json::Value,
    /// Release notes.
    pub notes: String,
    /// When it was built.
    pub built_at: DateTime<Utc>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
}

/// A release that a good role lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// The target's path.
    pub path: String,
    /// What it says of itself.
    pub release: EngineRelease,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// The role that lists it.
    pub role: String,
}

/// Something known to be wrong with versions of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Id.
    pub id: String,
    /// Engine.
    pub engine: String,
    /// Which versions.
    pub versions: VersionReq,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// One line.
    pub title: String,
    /// What it is, and what to do.
    pub detail: String,
    /// The first version that is good again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_in: Option<Version>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
}

/// The release that a target describes, which must be the one that its path names.
pub(crate) fn release(path: &str, target: &Target) -> Result<EngineRelease, DistributionError> {
    let bad = |why: String| DistributionError::BadRelease { name: path.to_owned(), why };
    let custom = serde_json::Value::Object(target.custom.clone().into_iter().collect());
    let release: EngineRelease = serde_json::from_value(custom).map_err(|e| bad(e.to_string()))?;
    let said = engine_path(&release.engine, &release.version, &release.target);
    if said == path { Ok(release) } else { Err(bad(format!("it says that it is `{said}`"))) }
}
