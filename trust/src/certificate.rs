//! A certificate: one key vouches for another, for one usage, some engines and some time.

use crate::{Error, KeyId, Kind, Namespace, PublicKey, SignedDocument};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a certified key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// Engine packages.
    Publisher,
    /// Licence tokens.
    License,
    /// Revocation lists.
    Revocation,
    /// Documents of the portal: the catalogue, update notices.
    Portal,
    /// Other certificates, of the usages in [`CertificateBody::issues`].
    Authority,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publisher => "publisher",
            Self::License => "license",
            Self::Revocation => "revocation",
            Self::Portal => "portal",
            Self::Authority => "authority",
        })
    }
}

/// What a certificate says. Signed as JSON; the exact bytes are kept. Fields that this version does not know are ignored, so
/// a field that must not be ignored comes with a new [`CertificateBody::FORMAT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateBody {
    /// Format of this document.
    #[serde(rename = "v")]
    pub format: u32,
    /// Unique for ever; a revocation list names it.
    pub serial: String,
    /// Whom the key belongs to, for people.
    pub subject: String,
    /// The certified key.
    pub key: PublicKey,
    /// What it may sign.
    pub usage: Usage,
    /// For [`Usage::Authority`]: the usages it may certify.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Usage>,
    /// The engines it may speak for.
    pub engines: Namespace,
    /// First moment of validity.
    pub not_before: DateTime<Utc>,
    /// Last moment of validity.
    pub not_after: DateTime<Utc>,
    /// Key that signed this certificate: a root, or the next certificate's key.
    pub issuer: KeyId,
}

impl CertificateBody {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;
}

/// A certificate that was read, and not yet verified: only a [`crate::TrustStore`] can do that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    document: SignedDocument,
    body: CertificateBody,
}

impl Certificate {
    /// Longest text form, in bytes.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// Read the text form ([`SignedDocument`]). Nothing is verified.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::UnsupportedFormat`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        const WHAT: &str = "certificate";
        let document = SignedDocument::parse(WHAT, text, Self::MAX_BYTES)?;
        let found = format_of(WHAT, &document.payload)?;
        if found != CertificateBody::FORMAT {
            return Err(Error::UnsupportedFormat { what: WHAT, found });
        }
        let body: CertificateBody =
            serde_json::from_slice(&document.payload).map_err(|e| Error::malformed(WHAT, e))?;
        if body.serial.is_empty() || body.serial.len() > 64 || body.subject.len() > 200 {
            return Err(Error::malformed(WHAT, "serial or subject of a wrong length"));
        }
        Ok(Self { document, body })
    }

    /// What it says. Believe it only after verification.
    pub fn body(&self) -> &CertificateBody {
        &self.body
    }

    pub(crate) fn verify_signature(&self, issuer: &PublicKey) -> Result<(), Error> {
        self.document.verify(Kind::Certificate, issuer)
    }

    pub(crate) fn verify_date(&self, at: DateTime<Utc>) -> Result<(), Error> {
        let subject = || self.body.subject.clone();
        if at < self.body.not_before {
            return Err(Error::NotYetValid { subject: subject(), at: self.body.not_before });
        }
        if at > self.body.not_after {
            return Err(Error::ExpiredCertificate { subject: subject(), at: self.body.not_after });
        }
        Ok(())
    }
}

/// The format a JSON document names in `v`, whatever else it holds.
pub(crate) fn format_of(what: &'static str, json: &[u8]) -> Result<u32, Error> {
    #[derive(Deserialize)]
    struct Head {
        v: u32,
    }
    serde_json::from_slice::<Head>(json).map(|head| head.v).map_err(|e| Error::malformed(what, e))
}
