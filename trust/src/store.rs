//! The trust store: roots and revocations together, which is what verification needs.

use crate::{
    Applied, Certificate, Chain, Error, KeyId, PublicKey, Revocations, Root, Roots, UnverifiedRevocationList,
    Usage, VerifiedSigner,
};
use chrono::{DateTime, Utc};

/// Roots and the revocation lists in force. Cheap to clone; a host keeps one behind a lock and swaps it.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    roots: Roots,
    revocations: Revocations,
}

impl TrustStore {
    /// Trust these roots; nothing is revoked yet.
    pub fn new(roots: Roots) -> Self {
        Self { roots, revocations: Revocations::default() }
    }

    /// Trust the compiled-in roots.
    pub fn built_in() -> Self {
        Self::new(crate::roots())
    }

    /// Trust one more root.
    ///
    /// # Errors
    /// Those of [`Roots::add`].
    pub fn add_root(&mut self, root: Root) -> Result<(), Error> {
        self.roots.add(root)
    }

    /// The trusted roots.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The revocation lists in force.
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Verify a revocation list, or an array of lists, and put it in force.
    ///
    /// # Errors
    /// Any refusal; then nothing has changed.
    pub fn apply_revocations(&mut self, text: &str) -> Result<Applied, Error> {
        let mut next = self.revocations.clone();
        let mut applied = Applied::Unchanged;
        for list in UnverifiedRevocationList::parse_any(text)? {
            if next.replace(list.verify(self)?)? == Applied::Replaced {
                applied = Applied::Replaced;
            }
        }
        self.revocations = next;
        Ok(applied)
    }

    /// Put the lists of [`Revocations::to_text`] back in force after a restart. What no longer verifies (a root that was
    /// removed meanwhile) is left out and told, so that a host starts with all that is still good.
    pub fn restore_revocations(&mut self, text: &str) -> Vec<Error> {
        let lists = match UnverifiedRevocationList::parse_any(text) {
            Ok(lists) => lists,
            Err(error) => return vec![error],
        };
        let mut next = self.revocations.clone();
        let restored = lists.into_iter().map(|list| next.replace(list.verify(self)?));
        let refusals = restored.filter_map(Result::err).collect();
        self.revocations = next;
        refusals
    }

    /// Verify a chain for `usage` as of `at`. Whether it may speak for an engine is [`VerifiedSigner::speaks_for`].
    ///
    /// Signatures come first: nothing that a certificate says is believed, or repeated in an error, before its signature
    /// has been checked up to the root.
    ///
    /// # Errors
    /// Every refusal of a chain.
    pub fn verify_chain(
        &self,
        chain: &Chain,
        usage: Usage,
        at: DateTime<Utc>,
    ) -> Result<VerifiedSigner, Error> {
        let certificates = chain.parse()?;
        let (Some(leaf), Some(top)) = (certificates.first(), certificates.last()) else {
            return Err(Error::ChainLength(0));
        };
        let issuer = &top.body().issuer;
        let root = self.roots.find(issuer).ok_or_else(|| Error::UnknownRoot(issuer.clone()))?;
        verify_links(&certificates, &root.key)?;
        verify_usages(&certificates, leaf, usage)?;
        certificates.iter().try_for_each(|certificate| certificate.verify_date(at))?;
        let not_after = certificates.iter().map(|c| c.body().not_after).min().unwrap_or(at);
        let signer = VerifiedSigner::new(&certificates, leaf.body(), root, not_after);
        self.revocations.check_signer(&signer)?;
        Ok(signer)
    }
}

/// Every certificate is signed by the next one's key, the last by the root.
fn verify_links(chain: &[Certificate], root: &PublicKey) -> Result<(), Error> {
    let mut key = *root;
    for certificate in chain.iter().rev() {
        expect_key(&certificate.body().issuer, &key.id())?;
        certificate.verify_signature(&key)?;
        key = certificate.body().key;
    }
    Ok(())
}

fn expect_key(found: &KeyId, expected: &KeyId) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::WrongKey { expected: expected.clone(), found: found.clone() })
}

/// The leaf has the wanted usage, all others are authorities that may certify it.
fn verify_usages(chain: &[Certificate], leaf: &Certificate, usage: Usage) -> Result<(), Error> {
    let wrong = |certificate: &Certificate, expected| {
        let body = certificate.body();
        Err(Error::WrongUsage { subject: body.subject.clone(), found: body.usage, expected })
    };
    if leaf.body().usage != usage {
        return wrong(leaf, usage);
    }
    for authority in chain.iter().skip(1) {
        if authority.body().usage != Usage::Authority || !authority.body().issues.contains(&usage) {
            return wrong(authority, Usage::Authority);
        }
    }
    Ok(())
}
