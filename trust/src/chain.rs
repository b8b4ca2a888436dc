//! A certificate chain, and what is known of a signer once the chain was verified.

use crate::{Certificate, CertificateBody, Error, KeyId, Namespace, PublicKey, Realm, Usage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Most certificates in a chain, the root key not counted (it has no certificate).
pub const MAX_CHAIN: usize = 3;

/// Certificates in text form, the signer's own first, the one that a root signed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chain(pub Vec<String>);

impl Chain {
    /// Read every certificate. Nothing is verified.
    ///
    /// # Errors
    /// [`Error::ChainLength`] and those of [`Certificate::parse`].
    pub fn parse(&self) -> Result<Vec<Certificate>, Error> {
        if self.0.is_empty() || self.0.len() > MAX_CHAIN {
            return Err(Error::ChainLength(self.0.len()));
        }
        self.0.iter().map(|text| Certificate::parse(text)).collect()
    }
}

/// A signer whose chain was verified: made only by [`crate::TrustStore::verify_chain`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerifiedSigner {
    /// Whom the key belongs to.
    pub subject: String,
    /// The signer's key.
    pub key: PublicKey,
    /// Id of that key.
    pub key_id: KeyId,
    /// Serial of the signer's certificate.
    pub serial: String,
    /// What the key may sign.
    pub usage: Usage,
    /// Name of the root the chain ends at.
    pub root: String,
    /// Realm of that root.
    pub realm: Realm,
    /// Last moment at which the whole chain is valid.
    pub not_after: DateTime<Utc>,
    /// Namespaces of the root and of every certificate: an engine must be in all of them.
    scopes: Vec<Namespace>,
    /// Serial and key of every certificate in the chain: what a revocation list could name.
    links: Vec<(String, KeyId)>,
}

impl VerifiedSigner {
    pub(crate) fn new(
        chain: &[Certificate],
        leaf: &CertificateBody,
        root: &crate::Root,
        not_after: DateTime<Utc>,
    ) -> Self {
        let bodies = || chain.iter().map(Certificate::body);
        Self {
            subject: leaf.subject.clone(),
            key: leaf.key,
            key_id: leaf.key.id(),
            serial: leaf.serial.clone(),
            usage: leaf.usage,
            root: root.name.clone(),
            realm: root.realm.clone(),
            not_after,
            scopes: bodies().map(|b| b.engines.clone()).chain([root.engines.clone()]).collect(),
            links: bodies().map(|b| (b.serial.clone(), b.key.id())).collect(),
        }
    }

    /// Whether this signer may speak for `engine`.
    ///
    /// # Errors
    /// [`Error::ForeignNamespace`].
    pub fn speaks_for(&self, engine: &str) -> Result<(), Error> {
        if self.scopes.iter().all(|scope| scope.contains(engine)) {
            return Ok(());
        }
        Err(Error::ForeignNamespace { subject: self.subject.clone(), engine: engine.to_owned() })
    }

    /// Serial and key id of every certificate in the chain, the signer's own first.
    pub fn links(&self) -> impl Iterator<Item = (&str, &KeyId)> {
        self.links.iter().map(|(serial, key)| (serial.as_str(), key))
    }
}
