//! Repositories written: roots, and editions of all other metadata that follow from what is published.

mod edition;
mod keys;
mod roots;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
pub use edition::{Contents, Current, Edition, Publisher, TargetFile, edition, publisher_role};
pub use keys::{OnlineKeys, PublicKey, SignKey};
pub use roots::{RoleKeys, RootBody, first_root, next_root, read_root};

/// Version of the specification that is written.
const SPEC: &str = "1.0.31";

/// How long metadata hold.
#[derive(Debug, Clone)]
pub struct Lifetimes {
    /// The root.
    pub root: TimeDelta,
    /// Targets of the vendor and of publishers.
    pub targets: TimeDelta,
    /// The snapshot.
    pub snapshot: TimeDelta,
    /// The timestamp.
    pub timestamp: TimeDelta,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            root: TimeDelta::days(365),
            targets: TimeDelta::days(90),
            snapshot: TimeDelta::days(7),
            timestamp: TimeDelta::days(1),
        }
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Metadata from before do not read.
    #[error("metadata from before do not read")]
    Unreadable(#[source] crate::DistributionError),
    /// The keys that are there are too few of those that the root names.
    #[error("{role} needs {threshold} signatures of keys that the root names, and {found} of them are here")]
    NotEnoughKeys {
        /// The role.
        role: String,
        /// Needed.
        threshold: u64,
        /// Found.
        found: u64,
    },
    /// A threshold that cannot be met, or nought.
    #[error("{0} names fewer keys than it needs signatures, or needs none")]
    Threshold(&'static str),
    /// A name that clients refuse.
    #[error("`{name}` is not published: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A key could not be used.
    #[error("a key cannot be used: {0}")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Metadata do not serialise, or have no version left.
    #[error("metadata cannot be written: {0}")]
    Write(String),
}

/// A moment as `tough` has it, in whole seconds.
fn moment<T: std::str::FromStr<Err: std::fmt::Display>>(at: DateTime<Utc>) -> Result<T, PublishError> {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
        .parse()
        .map_err(|e: T::Err| PublishError::Write(e.to_string()))
}
