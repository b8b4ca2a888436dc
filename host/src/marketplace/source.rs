//! Where engines come from: what a source tells of them once its signatures are verified, and how it gives their bytes.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use super::Channel;

/// A place that lists engines. What it answers is verified.
pub trait Source: Send + Sync {
    /// Look now, as of `now`.
    fn refresh(&self, now: DateTime<Utc>) -> BoxFuture<'_, Result<Catalogue, SourceError>>;

    /// Write a release to `file`, after the bytes that are there already. Ends well only with the whole of what was
    /// listed: no byte more than its length is written, and its digest is compared.
    fn save<'a>(
        &'a self,
        release: &'a Release,
        asking: Asking<'a>,
        file: &'a Path,
        progress: &'a Progress<'a>,
    ) -> BoxFuture<'a, Result<(), SourceError>>;
}

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// A licence that is shown.
    pub license: Option<&'a str>,
    /// The time that counts.
    pub now: DateTime<Utc>,
}

/// Told the bytes that are there, as they grow.
pub type Progress<'a> = dyn Fn(u64) + Send + Sync + 'a;

/// What a source lists.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Builds of engines.
    pub releases: Vec<Release>,
    /// What is known to be wrong with versions.
    pub advisories: Vec<Advisory>,
    /// The lowest good version by engine.
    pub floors: BTreeMap<String, Version>,
    /// The signed revocation list; absent while there is none.
    pub revocations: Option<String>,
    /// When the listing stops being believed.
    pub expires_at: Option<DateTime<Utc>>,
    /// Publishers whose part is not believed, and why.
    pub broken: Vec<Broken>,
}

/// A publisher whose part of the listing is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = BrokenPublisher)]
pub struct Broken {
    /// The publisher.
    pub role: String,
    /// Why.
    pub reason: String,
}

/// One build of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Name in the source.
    pub path: String,
    /// Engine.
    pub engine: String,
    /// Version.
    pub version: Version,
    /// Channel.
    pub channel: Channel,
    /// Target triple.
    pub target: String,
    /// Name for people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Who signed it.
    pub publisher: String,
    /// Tier, for display.
    pub tier: String,
    /// What a licence names; absent for an engine that needs none.
    pub entitlement: Option<String>,
    /// What it runs with.
    pub requires: Requires,
    /// What is new.
    pub notes: String,
    /// When it was built.
    pub built_at: DateTime<Utc>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// What a build runs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requires {
    /// Versions of the plugin contract.
    pub api: VersionReq,
    /// Versions of the host.
    pub host: VersionReq,
    /// Versions of the agent.
    pub agent: VersionReq,
}

impl Default for Requires {
    fn default() -> Self {
        Self { api: VersionReq::STAR, host: VersionReq::STAR, agent: VersionReq::STAR }
    }
}

/// Something that is wrong with versions of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Id.
    pub id: String,
    /// Engine.
    pub engine: String,
    /// Versions it concerns.
    pub versions: VersionReq,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// One line.
    pub title: String,
    /// Text.
    #[serde(default)]
    pub detail: String,
    /// The version that mends it.
    #[serde(default)]
    pub fixed_in: Option<Version>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
}

/// Why a source did not answer, or is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{detail}")]
pub struct SourceError {
    /// Stable code.
    pub code: String,
    /// The reason's code, where the portal tells one.
    pub reason: Option<String>,
    /// What is wrong and what to do.
    pub detail: String,
    /// Whether it may go better in a moment.
    pub passing: bool,
}

impl SourceError {
    /// Something that will not pass by itself.
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.into(), reason: None, detail: detail.into(), passing: false }
    }

    /// Something that may pass: no connection, a busy portal.
    pub fn passing(code: &str, detail: impl Into<String>) -> Self {
        Self { passing: true, ..Self::new(code, detail) }
    }

    /// The file system failed.
    pub fn disk(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::new("disk_full", "The disk of the engine store is full. Free some space and try again.")
            }
            _ => Self::new("store_failed", format!("The engine store cannot be written: {error}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_full_disk_is_told_as_one_and_not_tried_again() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            let error = SourceError::disk(&Error::from(kind));
            assert_eq!((error.code.as_str(), error.passing), ("disk_full", false));
        }
        assert_eq!(SourceError::disk(&Error::from(ErrorKind::PermissionDenied)).code, "store_failed");
    }
}
