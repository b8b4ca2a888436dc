//! How a host tells the portal which host it is and what licence it has, with each request and without a session: a header
//! signed by the host's instance key over the request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use trust::{KeyId, Kind, PublicKey, Signature};

use crate::{InstanceKey, ProofError};

/// The scheme of the `Authorization` header.
const SCHEME: &str = "SysManage-Host ";
/// Longest header; a licence token is a few kilobytes.
const MAX_HEADER: usize = 64 << 10;

/// Who sent a request: an instance that holds its key, and the licence token it names. The token is not verified here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostProof {
    /// The instance's public key. A bound licence names its id.
    pub instance: PublicKey,
    /// The licence token, as the host has it.
    pub license: String,
}

/// The request that is signed.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// Method, in capitals.
    pub method: &'a str,
    /// Path with the query, as it is sent: `/api/v1/hosts/contact`.
    pub target: &'a str,
    /// SHA-256 of the body; of no bytes, where there is none ([`SignedRequest::digest`]).
    pub body: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    license: String,
    instance: String,
    /// Milliseconds since the Unix epoch.
    at: i64,
    signature: String,
}

impl SignedRequest<'_> {
    /// The digest of a body.
    pub fn digest(body: &[u8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, body).as_ref());
        bytes
    }

    fn message(&self, license: &str, at: i64) -> Vec<u8> {
        let mut message = Vec::new();
        // Each part has its length before it, so that no two requests have the same message.
        for part in [self.method.as_bytes(), self.target.as_bytes(), &self.body, license.as_bytes()] {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        message.extend_from_slice(&at.to_be_bytes());
        message
    }
}

impl HostProof {
    /// How far the host's clock may be from the portal's.
    pub const TOLERANCE: Duration = Duration::minutes(5);

    /// The value of the `Authorization` header of a request that is sent `now`.
    pub fn sign(key: &InstanceKey, license: &str, request: &SignedRequest<'_>, now: DateTime<Utc>) -> String {
        let at = now.timestamp_millis();
        let header = Header {
            license: license.to_owned(),
            instance: key.public_key().to_string(),
            at,
            signature: key.sign(Kind::HostRequest, &request.message(license, at)).to_string(),
        };
        // Four members that are all text or numbers always have a text form.
        let json = serde_json::to_vec(&header).unwrap_or_default();
        format!("{SCHEME}{}", URL_SAFE_NO_PAD.encode(json))
    }

    /// Whether a header's value is of this scheme; another one is somebody else's to read.
    pub fn is_one(header: &str) -> bool {
        header.starts_with(SCHEME)
    }

    /// Who sent this request. The licence is still to be verified ([`crate::License::verify`]), and so is the binding
    /// of the licence to [`HostProof::instance_id`].
    ///
    /// # Errors
    /// [`ProofError`]; `Stale` where the two clocks are too far apart.
    pub fn verify(header: &str, request: &SignedRequest<'_>, now: DateTime<Utc>) -> Result<Self, ProofError> {
        let malformed = |why: &dyn std::fmt::Display| ProofError::Malformed(why.to_string());
        let text = header.strip_prefix(SCHEME).ok_or_else(|| malformed(&"another scheme"))?;
        if text.len() > MAX_HEADER {
            return Err(malformed(&"the header is too long"));
        }
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|e| malformed(&e))?;
        let header: Header = serde_json::from_slice(&json).map_err(|e| malformed(&e))?;
        let instance: PublicKey = header.instance.parse().map_err(|e: trust::Error| malformed(&e))?;
        let signature: Signature = header.signature.parse().map_err(|e: trust::Error| malformed(&e))?;
        instance
            .verify(Kind::HostRequest, &request.message(&header.license, header.at), &signature)
            .map_err(|_| ProofError::BadSignature)?;
        let at = DateTime::from_timestamp_millis(header.at)
            .ok_or_else(|| malformed(&"its time is out of range"))?;
        if (at - now).abs() > Self::TOLERANCE {
            return Err(ProofError::Stale { host: at, portal: now });
        }
        Ok(Self { instance, license: header.license })
    }

    /// The id of the instance's key.
    pub fn instance_id(&self) -> KeyId {
        self.instance.id()
    }
}
