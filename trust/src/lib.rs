//! Whom we believe: root keys, certificates, signature sets and revocation lists.
//!
//! Everything is Ed25519 (through `ring`); the algorithm is never negotiated. Root keys are compiled in (several, so that
//! they can be rotated) and delegate keys for one [`Usage`] and one engine [`Namespace`] by signed, dated certificates.
//! This crate verifies and cannot sign: private keys exist only in `license-issuer`.
//!
//! ```
//! use chrono::Utc;
//! use trust::{SignatureSet, TrustStore, Usage};
//!
//! fn check(manifest: &[u8], plugin_sig: &[u8]) -> Result<String, trust::Error> {
//!     let store = TrustStore::built_in();
//!     let signatures = SignatureSet::parse(plugin_sig)?;
//!     let publisher = signatures.verify(manifest, Usage::Publisher, "automation_engine", Utc::now(), &store)?;
//!     Ok(publisher.subject)
//! }
//! # assert_eq!(check(b"{}", b"nonsense").unwrap_err().code(), "malformed");
//! ```
//!
//! # Which moment a certificate is checked at
//!
//! - A **package** carries no date we believe more than our own clock, so [`SignatureSet::verify`] takes the moment from its
//!   caller: now when a package is first admitted, and the recorded moment of admission whenever it is loaded again. An
//!   installed engine therefore outlives its publisher's certificate; revoking the certificate still stops it at once.
//! - A **licence** and a **revocation list** carry their own signed date, and their certificate must have been valid then. A
//!   perpetual licence outlives the certificate that signed it. Somebody who steals an expired key could date a document
//!   back; that is what revoking the certificate is for.
//!
//! # Realms
//!
//! The compiled-in roots form the vendor's [`Realm`]; each third-party root that an administrator adds is a realm of its
//! own, confined to a namespace. A revocation list reaches its own realm only, the vendor's list reaches every realm.

mod certificate;
mod chain;
mod document;
mod error;
mod key;
mod namespace;
mod revocation;
mod roots;
mod signatures;
mod standing;
mod store;

pub use certificate::{Certificate, CertificateBody, Usage};
pub use chain::{Chain, MAX_CHAIN, VerifiedSigner};
pub use document::{Kind, SignedDocument};
pub use error::Error;
pub use key::{KeyId, PublicKey, Signature};
pub use namespace::{Namespace, is_engine_id};
pub use revocation::{
    KilledEngine, LowestGood, RevocationBody, RevocationList, RevokedCertificate, RevokedLicense,
    UnverifiedRevocationList,
};
pub use roots::{Realm, Root, Roots, roots};
pub use signatures::{SignatureEntry, SignatureSet};
pub use standing::{Applied, EngineStanding, Revocations, version_matches};
pub use store::TrustStore;
