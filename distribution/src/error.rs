//! Why a repository, or one role of it, is not believed. One variant for each attack.

use std::{io, path::PathBuf};

use chrono::{DateTime, Utc};

use crate::TransportError;

/// What went wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// The repository cannot be reached.
    #[error("{file} cannot be fetched: {source}")]
    Unreachable {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: TransportError,
    },
    /// A file that must be there is not.
    #[error("{0} is missing in the repository. Try again later; tell the vendor if it stays so.")]
    Missing(String),
    /// Data come too slowly, or not at all.
    #[error("{file} did not come within {seconds} s. Look at the connection to the portal.")]
    Stalled {
        /// The file.
        file: String,
        /// How long the client waited.
        seconds: u64,
    },
    /// Endless data.
    #[error(
        "{file} is longer than {limit} bytes, so it was not read to its end (endless data). Nothing of it is used."
    )]
    TooLong {
        /// The file.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// It is no metadata.
    #[error("{file} does not read: {why}. Tell the vendor.")]
    Malformed {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// Metadata of another role, or of another specification.
    #[error("{file} says that it is `{found}`, not `{expected}`. It is not used.")]
    WrongType {
        /// The file.
        file: String,
        /// What was asked for.
        expected: String,
        /// What came.
        found: String,
    },
    /// No signature is by a key of the role.
    #[error("{0} is not signed by a key of its role (wrong key). It is not used.")]
    WrongKey(String),
    /// Too few keys of the role have signed.
    #[error(
        "{role} is signed by {valid} of the {threshold} keys that it needs (threshold not met). It is not used."
    )]
    ThresholdNotMet {
        /// The role.
        role: String,
        /// Good signatures.
        valid: u64,
        /// Needed signatures.
        threshold: u64,
    },
    /// A key is named twice, so that it would count twice.
    #[error("{0} counts one key twice. It is not used.")]
    KeyTwice(String),
    /// A link of the root chain has another version than its place.
    #[error("{expected}.root.json has version {found}. The root chain is broken there; tell the vendor.")]
    RootVersion {
        /// Version of the place.
        expected: u64,
        /// Version in the file.
        found: u64,
    },
    /// The root chain does not end.
    #[error("The root chain has more than {0} new links. This is not believed; tell the vendor.")]
    RootChainTooLong(u64),
    /// The repository hides roots that were known.
    #[error(
        "The repository ends at root {offered}, but root {known} is known here (rollback of root). If this host is to use \
         another portal now, empty {folder}."
    )]
    RootRollback {
        /// What is known.
        known: u64,
        /// What is offered.
        offered: u64,
        /// Where it is known.
        folder: PathBuf,
    },
    /// The repository does without consistent snapshots, so its files could be replaced while they are read.
    #[error("The repository has no consistent snapshots. It cannot be used.")]
    NotConsistent,
    /// Something older than what is known.
    #[error(
        "{role} is offered in version {offered}, but version {known} is known here (rollback). It is not used."
    )]
    Rollback {
        /// The role.
        role: String,
        /// What is known.
        known: u64,
        /// What is offered.
        offered: u64,
    },
    /// A role that was listed is not any more.
    #[error("The snapshot lists {0} no more (rollback). It is not used.")]
    RoleRemoved(String),
    /// Metadata past their time: somebody may be hiding newer ones.
    #[error(
        "{role} expired at {at}. Newer releases may be kept from this host (freeze). Look at the connection and at this \
         machine's clock."
    )]
    Expired {
        /// The role.
        role: String,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// A role that the snapshot does not list.
    #[error("The snapshot does not list {0} (mix and match). It is not used.")]
    NotInSnapshot(String),
    /// Metadata of different editions.
    #[error("{role} has version {found}, but version {listed} is listed (mix and match). It is not used.")]
    MixedVersions {
        /// The role.
        role: String,
        /// What the parent says.
        listed: u64,
        /// What came.
        found: u64,
    },
    /// The file is another one than the parent lists.
    #[error("{0} has other content than is listed (mix and match). It is not used.")]
    MixedContent(String),
    /// A name that leads elsewhere, or that systems read differently.
    #[error("{role} names `{name}`: {why}. It is not used.")]
    UnsafeName {
        /// The role.
        role: String,
        /// The name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Two names that are one on a file system that does not tell upper from lower case.
    #[error("{role}: `{one}` and `{other}` differ only in upper and lower case. They are not used.")]
    NamesDifferInCase {
        /// The role.
        role: String,
        /// One name.
        one: String,
        /// The other.
        other: String,
    },
    /// A role speaks for a path that it was not given.
    #[error("{role} names `{name}`, which it was not given. It is not used.")]
    NotDelegated {
        /// The role.
        role: String,
        /// The path.
        name: String,
    },
    /// Two parents delegate to one name of a role.
    #[error("{0} is delegated twice. The second delegation is not used.")]
    DelegatedTwice(String),
    /// A pattern of paths that is not understood.
    #[error("{role} is given the paths `{pattern}`, which this version does not understand. It is not used.")]
    UnknownPattern {
        /// The role.
        role: String,
        /// The pattern.
        pattern: String,
    },
    /// More roles, or deeper ones, than the client follows.
    #[error("{0} is beyond the number or the depth of roles that are followed. It is not used.")]
    TooManyRoles(String),
    /// What a release says of itself does not read, or is not what its path says.
    #[error("{name} does not describe a release: {why}. It is not offered.")]
    BadRelease {
        /// The path.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// No such target.
    #[error("No role that may do so lists {0}.")]
    UnknownTarget(String),
    /// A download ended before its end. What came is good to go on from.
    #[error("{name} ended after {received} of {length} bytes. Try again; it goes on from there.")]
    TargetCut {
        /// The target.
        name: String,
        /// What is there.
        received: u64,
        /// What is signed.
        length: u64,
    },
    /// A download has other content than is signed.
    #[error("{0} has other content than is signed. It was thrown away; try again.")]
    TargetDigest(String),
    /// The file that is written to cannot be.
    #[error("{name} cannot be written")]
    Write {
        /// The target.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder of trusted metadata cannot be used.
    #[error("the folder of trusted metadata cannot be used: {path}")]
    Datastore {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another refresh runs.
    #[error("Another refresh of the same folder runs. Wait for its end.")]
    Busy,
    /// A bundle does not read.
    #[error("The bundle does not read: {0}.")]
    BadBundle(String),
}

impl DistributionError {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Missing(_) => "missing",
            Self::Stalled { .. } => "stalled",
            Self::TooLong { .. } => "endless_data",
            Self::Malformed { .. } => "malformed",
            Self::WrongType { .. } => "wrong_type",
            Self::WrongKey(_) => "wrong_key",
            Self::ThresholdNotMet { .. } => "threshold_not_met",
            Self::KeyTwice(_) => "key_twice",
            Self::RootVersion { .. } => "root_version",
            Self::RootChainTooLong(_) => "root_chain_too_long",
            Self::RootRollback { .. } => "root_rollback",
            Self::NotConsistent => "not_consistent",
            Self::Rollback { .. } => "rollback",
            Self::RoleRemoved(_) => "role_removed",
            Self::Expired { .. } => "expired",
            Self::NotInSnapshot(_) => "not_in_snapshot",
            Self::MixedVersions { .. } => "mixed_versions",
            Self::MixedContent(_) => "mixed_content",
            Self::UnsafeName { .. } => "unsafe_name",
            Self::NamesDifferInCase { .. } => "names_differ_in_case",
            Self::NotDelegated { .. } => "not_delegated",
            Self::DelegatedTwice(_) => "delegated_twice",
            Self::UnknownPattern { .. } => "unknown_pattern",
            Self::TooManyRoles(_) => "too_many_roles",
            Self::BadRelease { .. } => "bad_release",
            Self::UnknownTarget(_) => "unknown_target",
            Self::TargetCut { .. } => "target_cut",
            Self::TargetDigest(_) => "target_digest",
            Self::Write { .. } => "write",
            Self::Datastore { .. } => "datastore",
            Self::Busy => "busy",
            Self::BadBundle(_) => "bad_bundle",
        }
    }
}
