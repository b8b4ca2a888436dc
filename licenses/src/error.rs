//! Why a licence token or a proof was refused: one variant, one stable code.

use chrono::{DateTime, Utc};

/// A licence token that is not accepted. [`Error::code`] is part of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a licence token.
    #[error("malformed licence: {0}")]
    Malformed(String),
    /// Longer than a token may be.
    #[error("the licence is larger than {0} bytes")]
    TooLarge(usize),
    /// The header names another algorithm than EdDSA.
    #[error("the licence is not signed with EdDSA")]
    WrongAlgorithm,
    /// Another kind of token.
    #[error("the token is not a licence")]
    WrongType,
    /// Claims in a later format than this version reads.
    #[error("the licence has format {0}; this version reads format 1")]
    UnsupportedFormat(u32),
    /// Signature or certificates are not believed; the code is that of the cause.
    #[error(transparent)]
    Untrusted(#[from] trust::Error),
    /// The licence was revoked.
    #[error("the licence was revoked: {0}")]
    Revoked(String),
    /// The licence is bound to another host.
    #[error("the licence is for another host instance")]
    WrongInstance,
    /// A newer edition of the same licence is installed.
    #[error("a newer edition of this licence, issued {0}, is installed")]
    OlderLicense(DateTime<Utc>),
    /// More licences than a host keeps.
    #[error("no more than {0} licences can be installed")]
    TooManyLicenses(usize),
}

impl Error {
    /// Stable snake_case code, the same in API, command line and log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLarge(_) => "too_large",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::WrongType => "wrong_type",
            Self::UnsupportedFormat(_) => "unsupported_format",
            Self::Untrusted(cause) => cause.code(),
            Self::Revoked(_) => "revoked",
            Self::WrongInstance => "wrong_instance",
            Self::OlderLicense(_) => "older_license",
            Self::TooManyLicenses(_) => "too_many_licenses",
        }
    }

    pub(crate) fn malformed(why: impl ToString) -> Self {
        Self::Malformed(why.to_string())
    }
}

/// A host's proof that an engine or the portal does not believe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It answers another question.
    #[error("the proof answers another challenge")]
    WrongNonce,
    /// Not signed by the instance it names, or changed.
    #[error("the proof's signature does not match")]
    BadSignature,
    /// Key, signature, date or amount of something is not possible.
    #[error("malformed proof: {0}")]
    Malformed(String),
    /// It was made too long ago, or by a clock that is wrong.
    #[error("the proof was made at {host}, here it is {portal}: set both clocks, for example by NTP")]
    Stale {
        /// Time of the host.
        host: DateTime<Utc>,
        /// Time of the portal.
        portal: DateTime<Utc>,
    },
    /// The revocation list in it is not believed.
    #[error("the proof's revocation list: {0}")]
    Revocations(#[source] trust::Error),
}

impl ProofError {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongNonce => "wrong_nonce",
            Self::BadSignature => "bad_signature",
            Self::Malformed(_) => "malformed",
            Self::Stale { .. } => "stale",
            Self::Revocations(cause) => cause.code(),
        }
    }
}
