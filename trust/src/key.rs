//! Ed25519 public keys, their ids, and signatures.

use crate::{Error, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// An Ed25519 public key. Text form: base64url without padding, 43 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// Names a public key: the first 16 bytes of its SHA-256, in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

/// An Ed25519 signature. Text form: base64url without padding, 86 characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl PublicKey {
    /// A key from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id of this key.
    pub fn id(&self) -> KeyId {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.0);
        let mut id = [0; 16];
        id.copy_from_slice(&digest.as_ref()[..16]);
        KeyId(id)
    }

    /// Whether `signature` was made by this key over `bytes` as a document of `kind`.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(&self, kind: Kind, bytes: &[u8], signature: &Signature) -> Result<(), Error> {
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &self.0)
            .verify(&kind.message(bytes), &signature.0)
            .map_err(|_| Error::BadSignature(kind.name()))
    }
}

impl Signature {
    /// A signature from its 64 bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// Exactly `N` bytes of base64url without padding.
fn decode<const N: usize>(what: &'static str, text: &str) -> Result<[u8; N], Error> {
    // One spare byte tells "too long" from "just right".
    let mut buffer = [0; 72];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).map_err(|e| Error::malformed(what, e))?;
    buffer[..length].try_into().map_err(|_| Error::malformed(what, format!("{length} bytes instead of {N}")))
}

impl FromStr for PublicKey {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        decode("public key", text).map(Self)
    }
}

impl FromStr for Signature {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        decode("signature", text).map(Self)
    }
}

impl FromStr for KeyId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes =
            data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|e| Error::malformed("key id", e))?;
        bytes.try_into().map(Self).map_err(|_| Error::malformed("key id", "not 16 bytes"))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

macro_rules! as_text {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
as_text!(PublicKey, KeyId, Signature);
