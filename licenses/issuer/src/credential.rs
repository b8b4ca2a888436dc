//! A key with its certificates, and everything that is signed with one.

use crate::{SignError, Signer};
use chrono::{DateTime, Utc};
use licenses::receipt::{Countersignature, Receipt};
use licenses::{Claims, signing_input};
use trust::{
    CertificateBody, Chain, KeyId, Kind, Namespace, PublicKey, RevocationBody, SignatureEntry, SignatureSet,
    SignedDocument, UnverifiedRevocationList, Usage,
};
use uuid::Uuid;

/// What a new certificate shall say.
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    /// Whom the key belongs to.
    pub subject: String,
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub usage: Usage,
    /// For an authority: the usages it may certify.
    pub issues: Vec<Usage>,
    /// The engines it may speak for.
    pub engines: Namespace,
    /// First moment of validity.
    pub not_before: DateTime<Utc>,
    /// Last moment of validity.
    pub not_after: DateTime<Utc>,
}

/// Sign a certificate with a root's key (or an authority's), under a new serial. The answer is its text form.
///
/// # Errors
/// When the key cannot be used.
pub fn issue_certificate(issuer: &dyn Signer, request: CertificateRequest) -> Result<String, SignError> {
    let body = CertificateBody {
        format: CertificateBody::FORMAT,
        serial: Uuid::now_v7().to_string(),
        subject: request.subject,
        key: request.key,
        usage: request.usage,
        issues: request.issues,
        engines: request.engines,
        not_before: request.not_before,
        not_after: request.not_after,
        issuer: issuer.public_key().id(),
    };
    let payload = serde_json::to_vec(&body).expect("strings and numbers always serialise");
    let signature = issuer.sign_document(Kind::Certificate, &payload)?;
    Ok(SignedDocument { payload, signature }.to_string())
}

/// A signer and the chain that vouches for it.
pub struct Credential {
    signer: Box<dyn Signer>,
    chain: Chain,
}

impl Credential {
    /// A credential; `chain` begins with the signer's own certificate.
    ///
    /// # Errors
    /// [`SignError::Certificate`] when that certificate is for another key.
    pub fn new(
        signer: impl Signer + 'static,
        chain: impl IntoIterator<Item = String>,
    ) -> Result<Self, SignError> {
        let chain = Chain(chain.into_iter().collect());
        let certificates = chain.parse().map_err(SignError::Certificate)?;
        let (expected, found) = (certificates[0].body().key.id(), signer.public_key().id());
        if expected != found {
            return Err(SignError::Certificate(trust::Error::WrongKey { expected, found }));
        }
        Ok(Self { signer: Box::new(signer), chain })
    }

    /// The signer.
    pub fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Its certificates, its own first.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Id of its key.
    pub fn key_id(&self) -> KeyId {
        self.signer.public_key().id()
    }

    /// Mint a licence token.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn issue_license(&self, claims: &Claims) -> Result<String, SignError> {
        let input = signing_input(&self.chain, &self.key_id(), claims);
        let signature = self.signer.sign_document(Kind::License, input.as_bytes())?;
        Ok(format!("{input}.{signature}"))
    }

    /// Sign a revocation list; the answer is the text of its file.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn issue_revocations(&self, body: &RevocationBody) -> Result<String, SignError> {
        let payload = serde_json::to_vec(body).expect("strings and numbers always serialise");
        let signature = self.signer.sign_document(Kind::Revocations, &payload)?;
        Ok(UnverifiedRevocationList::compose(&self.chain, &SignedDocument { payload, signature }))
    }

    /// Countersign a host's usage receipt, as taken at `at`. The answer is the countersigned receipt's text.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn countersign(&self, receipt: &Receipt, at: DateTime<Utc>) -> Result<String, SignError> {
        let says = Countersignature::new(receipt, at, self.chain.clone());
        let payload = serde_json::to_vec(&says).expect("strings and numbers always serialise");
        let signature = self.signer.sign_document(Kind::Countersignature, &payload)?;
        Ok(Countersignature::compose(receipt, &SignedDocument { payload, signature }))
    }

    /// Certify another key with this credential's key, which must be an authority. The answer is the new key's whole chain.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn issue_chain(&self, request: CertificateRequest) -> Result<Vec<String>, SignError> {
        let certificate = issue_certificate(&*self.signer, request)?;
        Ok([certificate].into_iter().chain(self.chain.0.iter().cloned()).collect())
    }

    /// One signature over the exact bytes of a package's manifest.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn sign_manifest(&self, manifest: &[u8]) -> Result<SignatureEntry, SignError> {
        let signature = self.signer.sign_document(Kind::Manifest, manifest)?;
        Ok(SignatureEntry { chain: self.chain.clone(), key: self.key_id(), signature })
    }

    /// The signature file (`plugin.sig`) of a package that this credential alone signs.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn sign_package(&self, manifest: &[u8]) -> Result<SignatureSet, SignError> {
        Ok(SignatureSet::new(vec![self.sign_manifest(manifest)?]))
    }
}
