//! What is signed: the kind of document, its exact bytes, and the compact form both travel in.

use crate::{Error, PublicKey, Signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Kind of a signed document. Each kind signs under a prefix of its own, so a signature made for one is worth nothing for
/// another, even over the same bytes and with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A [`crate::CertificateBody`].
    Certificate,
    /// The manifest of an engine package (`plugin.toml`).
    Manifest,
    /// A licence token, which is a standard JWS: the signing input is `header.payload` without any prefix. It cannot be
    /// taken for another kind: base64url has no `:`, which every prefix contains.
    License,
    /// A [`crate::RevocationBody`].
    Revocations,
    /// A host's answer to an engine's challenge.
    InstanceProof,
    /// A request of a host to the portal.
    HostRequest,
    /// A host without a network asks for a licence bound to it.
    InstanceRequest,
    /// What was checked of a package before it was published.
    Conformance,
    /// What a host used, signed by its instance.
    UsageReceipt,
    /// The portal's signature after a host's receipt.
    Countersignature,
    /// A catalogue or other document of the portal.
    Portal,
}

impl Kind {
    /// How error messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Manifest => "package",
            Self::License => "licence",
            Self::Revocations => "revocation list",
            Self::InstanceProof => "instance proof",
            Self::HostRequest => "host request",
            Self::InstanceRequest => "instance request",
            Self::Conformance => "conformance report",
            Self::UsageReceipt => "usage receipt",
            Self::Countersignature => "countersignature",
            Self::Portal => "portal document",
        }
    }

    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Certificate => b"sysmanage:certificate:v1\n",
            Self::Manifest => b"sysmanage:manifest:v1\n",
            Self::License => b"",
            Self::Revocations => b"sysmanage:revocations:v1\n",
            Self::InstanceProof => b"sysmanage:instance-proof:v1\n",
            Self::InstanceRequest => b"sysmanage:instance-request:v1\n",
            Self::Conformance => b"sysmanage:conformance:v1\n",
            Self::HostRequest => b"sysmanage:host-request:v1\n",
            Self::UsageReceipt => b"sysmanage:usage-receipt:v1\n",
            Self::Countersignature => b"sysmanage:countersignature:v1\n",
            Self::Portal => b"sysmanage:portal:v1\n",
        }
    }

    /// The message that is signed for `bytes`.
    pub fn message(self, bytes: &[u8]) -> Vec<u8> {
        [self.prefix(), bytes].concat()
    }
}

/// Exact bytes and a signature over them. Text form: `base64url(payload).base64url(signature)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDocument {
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

impl SignedDocument {
    /// Read the text form of at most `limit` bytes. Nothing is verified.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`].
    pub fn parse(what: &'static str, text: &str, limit: usize) -> Result<Self, Error> {
        if text.len() > limit {
            return Err(Error::TooLarge { what, limit });
        }
        let (payload, signature) =
            text.split_once('.').ok_or_else(|| Error::malformed(what, "not `payload.signature`"))?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|e| Error::malformed(what, e))?;
        Ok(Self { payload, signature: signature.parse()? })
    }

    /// Check the signature.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(&self, kind: Kind, key: &PublicKey) -> Result<(), Error> {
        key.verify(kind, &self.payload, &self.signature)
    }
}

impl fmt::Display for SignedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", URL_SAFE_NO_PAD.encode(&self.payload), self.signature)
    }
}
