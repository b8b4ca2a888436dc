//! How an engine checks its licence itself: it sends a nonce, the host answers with a signed proof.
//!
//! A patched host can claim anything, but it cannot make licence tokens, and it cannot prove a licence that is bound to
//! another host's key. The nonce keeps an old answer from being played again.

use crate::{Circumstances, ClockFloor, Decision, EngineBuild, LicenseSet, ProofError, decide};
use chrono::{DateTime, Utc};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use trust::{KeyId, Kind, PublicKey, Signature, TrustStore};

/// A host instance's own key pair. It proves which host this is, and can sign nothing that anybody else believes.
pub struct InstanceKey(Ed25519KeyPair);

impl InstanceKey {
    /// A new key as PKCS#8 (DER). Store it readable for the service only, and never log it.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Vec<u8>, ring::error::Unspecified> {
        Ok(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())?.as_ref().to_vec())
    }

    /// Read a key that [`InstanceKey::generate`] made.
    ///
    /// # Errors
    /// When it is not such a key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, ring::error::KeyRejected> {
        Ed25519KeyPair::from_pkcs8(der).map(Self)
    }

    /// The public half. A licence is bound to its id.
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey::from_bytes(bytes)
    }

    /// The signature of a proof, in text form. `now` is the time that counts here: no earlier than the floor.
    pub fn prove(
        &self,
        tokens: &[String],
        revocations: Option<&str>,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> String {
        let message = proof_message(tokens, revocations, nonce, now.timestamp_millis());
        self.sign(Kind::InstanceProof, &message).to_string()
    }

    /// Sign the bytes of a document of `kind`.
    pub(crate) fn sign(&self, kind: Kind, bytes: &[u8]) -> Signature {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(&kind.message(bytes)).as_ref());
        Signature::from_bytes(signature)
    }
}

/// What is signed: every part with its length before it, so that no two proofs have the same message.
fn proof_message(tokens: &[String], revocations: Option<&str>, nonce: &str, now_unix_ms: i64) -> Vec<u8> {
    let mut message = Vec::new();
    let mut put = |part: &[u8]| {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part);
    };
    put(nonce.as_bytes());
    put(&now_unix_ms.to_be_bytes());
    put(&[u8::from(revocations.is_some())]);
    put(revocations.unwrap_or_default().as_bytes());
    tokens.iter().for_each(|token| put(token.as_bytes()));
    message
}

/// The parts of a host's answer.
#[derive(Debug, Clone, Copy)]
pub struct ProofParts<'a> {
    /// Every licence token of the host.
    pub tokens: &'a [String],
    /// The revocation lists in force ([`trust::Revocations::to_text`]).
    pub revocations: Option<&'a str>,
    /// The instance's public key.
    pub instance_public_key: &'a str,
    /// The engine's nonce, sent back.
    pub nonce: &'a str,
    /// The instance's signature.
    pub signature: &'a str,
    /// The time that counts on the host, in milliseconds since the Unix epoch.
    pub now_unix_ms: i64,
}

/// Check a proof against the nonce that was sent, and decide what it grants to `build`. The later of the host's time, the
/// engine's own `clock` and every signed date counts. `store` holds the roots that were compiled into the engine; whatever
/// the host may trust beyond them does not matter here. How long the host has been offline is left to the host.
///
/// # Errors
/// When the proof is not one. A proof without a licence is not an error: the decision says `no_license`.
pub fn verify_proof(
    parts: &ProofParts<'_>,
    sent_nonce: &str,
    build: &EngineBuild,
    store: &TrustStore,
    clock: DateTime<Utc>,
) -> Result<Decision, ProofError> {
    if sent_nonce.is_empty() || parts.nonce != sent_nonce {
        return Err(ProofError::WrongNonce);
    }
    let (instance, host_now) = verify_signature(parts)?;
    let mut store = store.clone();
    if let Some(text) = parts.revocations {
        let refusals = store.restore_revocations(text);
        if let Some(bad) = refusals.into_iter().find(is_tampering) {
            return Err(ProofError::Revocations(bad));
        }
    }
    let (licenses, _unknown) = LicenseSet::restore(parts.tokens.iter().map(String::as_str), &store);
    let mut floor = ClockFloor::default();
    floor.observe_run(host_now);
    licenses.iter().for_each(|license| floor.learn(license));
    store.revocations().newest().into_iter().for_each(|at| floor.observe_signed(at));
    let now = floor.effective(clock);
    Ok(decide(
        build,
        &Circumstances {
            licenses: &licenses,
            revocations: store.revocations(),
            now,
            floor: &floor,
            instance: Some(&instance),
            last_contact: Some(now),
        },
    ))
}

/// Whether a list was spoiled, and not merely one that means nothing here: an engine knows fewer roots than its host, it may
/// be older than the list's format, and an agent may have seen a newer list already.
fn is_tampering(refusal: &trust::Error) -> bool {
    use trust::Error;
    matches!(refusal, Error::Malformed { .. } | Error::TooLarge { .. } | Error::BadSignature(_))
}

fn verify_signature(parts: &ProofParts<'_>) -> Result<(KeyId, DateTime<Utc>), ProofError> {
    let malformed = |error: trust::Error| ProofError::Malformed(error.to_string());
    if parts.tokens.len() > LicenseSet::MAX {
        return Err(ProofError::Malformed("too many licences".to_owned()));
    }
    let key: PublicKey = parts.instance_public_key.parse().map_err(malformed)?;
    let signature: Signature = parts.signature.parse().map_err(malformed)?;
    let now = DateTime::from_timestamp_millis(parts.now_unix_ms)
        .ok_or_else(|| ProofError::Malformed("its time is out of range".to_owned()))?;
    let message = proof_message(parts.tokens, parts.revocations, parts.nonce, parts.now_unix_ms);
    key.verify(Kind::InstanceProof, &message, &signature).map_err(|_| ProofError::BadSignature)?;
    Ok((key.id(), now))
}
