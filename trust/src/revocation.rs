//! A signed revocation list: what it says, and how it is read and verified.

use crate::certificate::format_of;
use crate::{Chain, Error, KeyId, Kind, Realm, SignedDocument, TrustStore, Usage};
use chrono::{DateTime, Utc};
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A certificate that is no longer believed, named by serial or by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedCertificate {
    /// Serial of one certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Or a key: every certificate for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// Why, for people.
    pub reason: String,
}

/// A licence that no longer grants anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedLicense {
    /// Id of the licence.
    pub id: String,
    /// Why, for people.
    pub reason: String,
}

/// Versions of an engine that must not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KilledEngine {
    /// The engine.
    pub engine: String,
    /// The versions.
    pub versions: VersionReq,
    /// Why, for people.
    pub reason: String,
}

/// The lowest version of an engine that is still good: older ones must not be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowestGood {
    /// The engine.
    pub engine: String,
    /// The version.
    pub version: Version,
}

/// What a revocation list says. A list is whole: what it does not name is not revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationBody {
    /// Format of this document.
    #[serde(rename = "v")]
    pub format: u32,
    /// Rises with every list of a realm. An older list never replaces a newer one.
    pub sequence: u64,
    /// When it was signed.
    pub issued_at: DateTime<Utc>,
    /// Certificates.
    #[serde(default)]
    pub certificates: Vec<RevokedCertificate>,
    /// Licences.
    #[serde(default)]
    pub licenses: Vec<RevokedLicense>,
    /// Bad engine versions: the kill switch.
    #[serde(default)]
    pub engines: Vec<KilledEngine>,
    /// Version floors.
    #[serde(default)]
    pub lowest_good: Vec<LowestGood>,
}

impl RevocationBody {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;

    /// A list that revokes nothing.
    pub fn empty(sequence: u64, issued_at: DateTime<Utc>) -> Self {
        Self {
            format: Self::FORMAT,
            sequence,
            issued_at,
            certificates: Vec::new(),
            licenses: Vec::new(),
            engines: Vec::new(),
            lowest_good: Vec::new(),
        }
    }
}

/// The file: `{"chain": [...], "list": "payload.signature"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Envelope {
    chain: Chain,
    list: String,
}

/// A list that was read, and not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedRevocationList {
    envelope: Envelope,
    document: SignedDocument,
    body: RevocationBody,
}

impl UnverifiedRevocationList {
    /// Largest text, in bytes, also of several lists together.
    pub const MAX_BYTES: usize = 2 * 1024 * 1024;
    const WHAT: &'static str = "revocation list";

    /// Put a signed list into the form of a file. Nothing is verified.
    pub fn compose(chain: &Chain, document: &SignedDocument) -> String {
        let envelope = Envelope { chain: chain.clone(), list: document.to_string() };
        serde_json::to_string(&envelope).expect("strings always serialise")
    }

    /// Read one list. Nothing is verified.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::UnsupportedFormat`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::within_limit(text)?;
        Self::open(serde_json::from_str(text).map_err(|e| Error::malformed(Self::WHAT, e))?)
    }

    /// Read one list, or an array of lists, one for each realm. Nothing is verified.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub fn parse_any(text: &str) -> Result<Vec<Self>, Error> {
        if !text.trim_start().starts_with('[') {
            return Self::parse(text).map(|list| vec![list]);
        }
        Self::within_limit(text)?;
        let all: Vec<Envelope> = serde_json::from_str(text).map_err(|e| Error::malformed(Self::WHAT, e))?;
        all.into_iter().map(Self::open).collect()
    }

    fn within_limit(text: &str) -> Result<(), Error> {
        if text.len() > Self::MAX_BYTES {
            return Err(Error::TooLarge { what: Self::WHAT, limit: Self::MAX_BYTES });
        }
        Ok(())
    }

    fn open(envelope: Envelope) -> Result<Self, Error> {
        let document = SignedDocument::parse(Self::WHAT, &envelope.list, Self::MAX_BYTES)?;
        let found = format_of(Self::WHAT, &document.payload)?;
        if found != RevocationBody::FORMAT {
            return Err(Error::UnsupportedFormat { what: Self::WHAT, found });
        }
        let body: RevocationBody =
            serde_json::from_slice(&document.payload).map_err(|e| Error::malformed(Self::WHAT, e))?;
        if body.certificates.iter().any(|c| c.serial.is_none() && c.key.is_none()) {
            return Err(Error::malformed(Self::WHAT, "a revoked certificate needs a serial or a key"));
        }
        Ok(Self { envelope, document, body })
    }

    /// Verify signature, chain (as of the list's own date) and that it speaks only of engines it may speak for.
    ///
    /// # Errors
    /// Every refusal of a chain, and [`Error::BadSignature`].
    pub fn verify(self, store: &TrustStore) -> Result<RevocationList, Error> {
        let signer = store.verify_chain(&self.envelope.chain, Usage::Revocation, self.body.issued_at)?;
        self.document.verify(Kind::Revocations, &signer.key)?;
        let killed = self.body.engines.iter().map(|e| &e.engine);
        let floors = self.body.lowest_good.iter().map(|e| &e.engine);
        killed.chain(floors).try_for_each(|engine| signer.speaks_for(engine))?;
        let index = Index::of(&self.body);
        Ok(RevocationList { realm: signer.realm, body: self.body, envelope: self.envelope, index })
    }
}

/// A verified list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    realm: Realm,
    body: RevocationBody,
    envelope: Envelope,
    index: Index,
}

/// Where in the list something is named: decisions are made for every request, and lists grow long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Index {
    serials: HashMap<String, usize>,
    keys: HashMap<KeyId, usize>,
    licenses: HashMap<String, usize>,
}

impl Index {
    fn of(body: &RevocationBody) -> Self {
        let mut index = Self::default();
        for (at, entry) in body.certificates.iter().enumerate() {
            index.serials.extend(entry.serial.clone().map(|serial| (serial, at)));
            index.keys.extend(entry.key.clone().map(|key| (key, at)));
        }
        index.licenses.extend(body.licenses.iter().enumerate().map(|(at, entry)| (entry.id.clone(), at)));
        index
    }
}

impl RevocationList {
    /// Why a certificate was revoked, if it or its key was.
    pub(crate) fn certificate(&self, serial: &str, key: &KeyId) -> Option<&str> {
        let at = self.index.serials.get(serial).or_else(|| self.index.keys.get(key))?;
        self.body.certificates.get(*at).map(|entry| entry.reason.as_str())
    }

    /// Why a licence was revoked, if it was.
    pub(crate) fn license(&self, id: &str) -> Option<&str> {
        let entry = self.body.licenses.get(*self.index.licenses.get(id)?)?;
        Some(&entry.reason)
    }

    /// Whose list it is.
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// What it says.
    pub fn body(&self) -> &RevocationBody {
        &self.body
    }

    /// Several lists as one text, which [`UnverifiedRevocationList::parse_any`] reads.
    pub(crate) fn join<'a>(lists: impl Iterator<Item = &'a Self>) -> String {
        let all: Vec<&Envelope> = lists.map(|list| &list.envelope).collect();
        serde_json::to_string(&all).expect("strings always serialise")
    }
}
