//! Detached signatures over exact bytes: the file `plugin.sig`.

use crate::{Chain, Error, KeyId, Kind, Signature, TrustStore, Usage, VerifiedSigner};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One signature with the chain of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureEntry {
    /// The signer's certificates, its own first.
    pub chain: Chain,
    /// The key that signed; it must be the one that the first certificate is for.
    pub key: KeyId,
    /// The signature.
    pub signature: Signature,
}

/// One or more signatures over the same bytes. One that verifies is enough: while roots are rotated, a package is signed
/// under the old and the new one, and every host finds a root that it knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureSet {
    /// Format of this file.
    #[serde(rename = "v")]
    pub format: u32,
    /// The signatures.
    pub signatures: Vec<SignatureEntry>,
}

impl SignatureSet {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;
    /// Largest file, in bytes.
    pub const MAX_BYTES: usize = 128 * 1024;
    /// Most signatures.
    pub const MAX_SIGNATURES: usize = 8;

    /// A set of these signatures.
    pub fn new(signatures: Vec<SignatureEntry>) -> Self {
        Self { format: Self::FORMAT, signatures }
    }

    /// Read `plugin.sig`. Nothing is verified.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::UnsupportedFormat`], [`Error::NoSignature`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "signature file";
        if bytes.len() > Self::MAX_BYTES {
            return Err(Error::TooLarge { what: WHAT, limit: Self::MAX_BYTES });
        }
        let found = crate::certificate::format_of(WHAT, bytes)?;
        if found != Self::FORMAT {
            return Err(Error::UnsupportedFormat { what: WHAT, found });
        }
        let set: Self = serde_json::from_slice(bytes).map_err(|e| Error::malformed(WHAT, e))?;
        match set.signatures.len() {
            0 => Err(Error::NoSignature),
            n if n > Self::MAX_SIGNATURES => Err(Error::malformed(WHAT, "more than 8 signatures")),
            _ => Ok(set),
        }
    }

    /// The content of `plugin.sig`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("strings and numbers always serialise");
        bytes.push(b'\n');
        bytes
    }

    /// Find a signature over exactly `bytes` by a key with `usage` that may speak for `engine`, as of `at` (see the crate's
    /// documentation for which moment that is).
    ///
    /// # Errors
    /// The refusal of the signature that came furthest: an unknown root is told only when no signature is under a known one.
    pub fn verify(
        &self,
        bytes: &[u8],
        usage: Usage,
        engine: &str,
        at: DateTime<Utc>,
        store: &TrustStore,
    ) -> Result<VerifiedSigner, Error> {
        let mut refusal = None;
        for entry in self.signatures.iter().take(Self::MAX_SIGNATURES) {
            match entry.verify(bytes, usage, engine, at, store) {
                Ok(signer) => return Ok(signer),
                Err(error) if refusal.is_none() || matches!(refusal, Some(Error::UnknownRoot(_))) => {
                    refusal = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(refusal.unwrap_or(Error::NoSignature))
    }
}

impl SignatureEntry {
    fn verify(
        &self,
        bytes: &[u8],
        usage: Usage,
        engine: &str,
        at: DateTime<Utc>,
        store: &TrustStore,
    ) -> Result<VerifiedSigner, Error> {
        let signer = store.verify_chain(&self.chain, usage, at)?;
        if self.key != signer.key_id {
            return Err(Error::WrongKey { expected: signer.key_id, found: self.key.clone() });
        }
        signer.key.verify(Kind::Manifest, bytes, &self.signature)?;
        signer.speaks_for(engine)?;
        Ok(signer)
    }
}
