//! Why something was not believed: one variant, one stable code.

use crate::{KeyId, Usage};
use chrono::{DateTime, Utc};

/// A refusal. [`Error::code`] is part of the contract: codes are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not such a document.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// Kind of document.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Larger than such a document may be.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// Kind of document.
        what: &'static str,
        /// Limit in bytes.
        limit: usize,
    },
    /// Written in a later format than this version reads.
    #[error("{what} has format {found}; this version reads format 1")]
    UnsupportedFormat {
        /// Kind of document.
        what: &'static str,
        /// The format it names.
        found: u32,
    },
    /// The chain ends at a root key that is not trusted here.
    #[error("the certificate chain ends at root key {0}, which is not trusted here")]
    UnknownRoot(KeyId),
    /// More certificates than a chain may have, or none.
    #[error("the certificate chain has {0} certificates; 1 to 3 are allowed")]
    ChainLength(usize),
    /// The bytes are not what was signed, or not signed by that key.
    #[error("the signature of the {0} does not match its content")]
    BadSignature(&'static str),
    /// There is no signature at all.
    #[error("no signature")]
    NoSignature,
    /// The signature names another key than the certificate certifies.
    #[error("signed by key {found}, but the certificate is for key {expected}")]
    WrongKey {
        /// The certified key.
        expected: KeyId,
        /// The key that the document names.
        found: KeyId,
    },
    /// The certificate's time has passed.
    #[error("the certificate of \"{subject}\" expired at {at}")]
    ExpiredCertificate {
        /// Whose certificate.
        subject: String,
        /// End of its validity.
        at: DateTime<Utc>,
    },
    /// The certificate's time has not come.
    #[error("the certificate of \"{subject}\" is valid only from {at}")]
    NotYetValid {
        /// Whose certificate.
        subject: String,
        /// Start of its validity.
        at: DateTime<Utc>,
    },
    /// The certificate is for something else.
    #[error("the certificate of \"{subject}\" is for {found}, not for {expected}")]
    WrongUsage {
        /// Whose certificate.
        subject: String,
        /// The usage it has.
        found: Usage,
        /// The usage that was needed.
        expected: Usage,
    },
    /// The engine is not one that this certificate or its root may speak for.
    #[error("\"{subject}\" may not speak for engine \"{engine}\"")]
    ForeignNamespace {
        /// Whose certificate.
        subject: String,
        /// The engine outside its namespace.
        engine: String,
    },
    /// A revocation list withdrew the certificate.
    #[error("the certificate of \"{subject}\" was revoked: {reason}")]
    RevokedCertificate {
        /// Whose certificate.
        subject: String,
        /// The reason the list gives.
        reason: String,
    },
    /// A revocation list that is older than the one in force.
    #[error("revocation list {found} is older than list {current}, which is in force")]
    OlderRevocationList {
        /// Sequence number in force.
        current: u64,
        /// Sequence number offered.
        found: u64,
    },
    /// Another list with the sequence number of the one in force.
    #[error("there are two different revocation lists with number {0}")]
    ConflictingRevocationList(u64),
    /// An administrator's root that is not confined, or clashes with another.
    #[error("the root \"{name}\" cannot be added: {why}")]
    RefusedRoot {
        /// Name of the root.
        name: String,
        /// Why.
        why: &'static str,
    },
}

impl Error {
    /// Stable snake_case code, the same in API, command line and log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::UnknownRoot(_) => "unknown_root",
            Self::ChainLength(_) => "chain_length",
            Self::BadSignature(_) => "bad_signature",
            Self::NoSignature => "no_signature",
            Self::WrongKey { .. } => "wrong_key",
            Self::ExpiredCertificate { .. } => "expired_certificate",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::WrongUsage { .. } => "wrong_usage",
            Self::ForeignNamespace { .. } => "foreign_namespace",
            Self::RevokedCertificate { .. } => "revoked_certificate",
            Self::OlderRevocationList { .. } => "older_revocation_list",
            Self::ConflictingRevocationList(_) => "conflicting_revocation_list",
            Self::RefusedRoot { .. } => "refused_root",
        }
    }

    pub(crate) fn malformed(what: &'static str, why: impl ToString) -> Self {
        Self::Malformed { what, why: why.to_string() }
    }
}
