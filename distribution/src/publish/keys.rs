//! Keys that sign metadata, reached through a trait: a file, a hardware module, a service.

use std::collections::HashMap;

use serde::Serialize;
use tough::schema::{
    Role, RoleKeys, Signature, Signed,
    decoded::{Decoded, Hex},
    key::{Ed25519Key, Ed25519Scheme, Key},
};

use super::PublishError;

/// An Ed25519 public key.
pub type PublicKey = [u8; 32];

/// Whoever holds an Ed25519 private key.
pub trait SignKey: Send + Sync {
    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// Sign exactly these bytes.
    ///
    /// # Errors
    /// When the key cannot be used.
    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], PublishError>;
}

/// The keys that are at hand where editions are written. The root's keys are not among them.
#[derive(Default)]
pub struct OnlineKeys {
    /// Keys of the timestamp role.
    pub timestamp: Vec<Box<dyn SignKey>>,
    /// Keys of the snapshot role.
    pub snapshot: Vec<Box<dyn SignKey>>,
    /// Keys of the vendor's targets.
    pub targets: Vec<Box<dyn SignKey>>,
    /// Keys of the publishers' roles.
    pub publishers: Vec<Box<dyn SignKey>>,
}

/// A key as metadata name it.
pub(super) fn tuf_key(public: &PublicKey) -> Result<(Decoded<Hex>, Key), PublishError> {
    let key = Key::Ed25519 {
        keyval: Ed25519Key { public: public.to_vec().into(), _extra: HashMap::new() },
        scheme: Ed25519Scheme::Ed25519,
        _extra: HashMap::new(),
    };
    let id = key.key_id().map_err(|e| PublishError::Write(e.to_string()))?;
    Ok((id, key))
}

/// Sign a role with those keys that it is given to; fail when they are too few.
pub(super) fn sign<'k, T: Role>(
    name: &str,
    signed: T,
    given: &RoleKeys,
    keys: impl IntoIterator<Item = &'k dyn SignKey>,
) -> Result<Signed<T>, PublishError> {
    let bytes = signed.canonical_form().map_err(|e| PublishError::Write(e.to_string()))?;
    let mut signatures: Vec<Signature> = Vec::new();
    for key in keys {
        let (keyid, _) = tuf_key(&key.public_key())?;
        if given.keyids.contains(&keyid) && !signatures.iter().any(|s| s.keyid == keyid) {
            signatures.push(Signature { keyid, sig: key.sign(&bytes)?.to_vec().into() });
        }
    }
    let (threshold, found) = (given.threshold.get(), signatures.len() as u64);
    if found < threshold {
        return Err(PublishError::NotEnoughKeys { role: name.to_owned(), threshold, found });
    }
    Ok(Signed { signed, signatures })
}

/// The bytes of a file.
pub(super) fn bytes<T: Serialize>(signed: &Signed<T>) -> Result<Vec<u8>, PublishError> {
    serde_json::to_vec(signed).map_err(|e| PublishError::Write(e.to_string()))
}
