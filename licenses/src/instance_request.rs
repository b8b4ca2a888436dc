//! Activation without a network: a host writes down which instance it is, somebody carries the file to the portal, and carries
//! back a licence that is bound to it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use trust::{KeyId, Kind, PublicKey, SignedDocument};

use crate::{InstanceKey, ProofError};

/// What a host writes down. Signed by the instance key, so that nobody binds a licence to a key that there is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceRequest {
    /// Format of this document.
    #[serde(rename = "v")]
    pub format: u32,
    /// The instance's public key.
    pub instance: PublicKey,
    /// The host's name, for people.
    pub host: String,
    /// When it was written, by the host's clock.
    pub at: DateTime<Utc>,
}

impl InstanceRequest {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;
    /// Largest file, in bytes.
    pub const MAX_BYTES: usize = 4 * 1024;
    const MAX_NAME: usize = 253;

    /// The file's text: one line.
    pub fn sign(key: &InstanceKey, host: &str, now: DateTime<Utc>) -> String {
        let host: String = host.chars().take(Self::MAX_NAME / 4).collect();
        let request = Self { format: Self::FORMAT, instance: key.public_key(), host, at: now };
        // Four members that are all text or numbers always have a text form.
        let payload = serde_json::to_vec(&request).unwrap_or_default();
        let signature = key.sign(Kind::InstanceRequest, &payload);
        SignedDocument { payload, signature }.to_string()
    }

    /// Read a file, and check that the key it names signed it. White space around it is ignored.
    ///
    /// # Errors
    /// [`ProofError::Malformed`], [`ProofError::BadSignature`].
    pub fn verify(text: &str) -> Result<Self, ProofError> {
        let malformed = |why: &dyn std::fmt::Display| ProofError::Malformed(why.to_string());
        let document = SignedDocument::parse("instance request", text.trim(), Self::MAX_BYTES)
            .map_err(|e| malformed(&e))?;
        let request: Self = serde_json::from_slice(&document.payload).map_err(|e| malformed(&e))?;
        if request.format != Self::FORMAT || request.host.len() > Self::MAX_NAME {
            return Err(malformed(&"another format, or a name that is too long"));
        }
        document.verify(Kind::InstanceRequest, &request.instance).map_err(|_| ProofError::BadSignature)?;
        Ok(request)
    }

    /// The id of the instance's key: what a licence is bound to.
    pub fn instance_id(&self) -> KeyId {
        self.instance.id()
    }
}
