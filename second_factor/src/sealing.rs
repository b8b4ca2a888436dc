//! Secrets at rest: sealed with a key of the service, for one place.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// Sealed bytes do not open: another key, another place, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open with this service's key")]
pub struct Unsealable;

/// A key that seals.
pub struct Sealer(LessSafeKey);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    /// Length of a key, in bytes.
    pub const KEY_BYTES: usize = 32;

    /// A sealer with a key; nothing where the key is not [`Sealer::KEY_BYTES`] long.
    pub fn new(key: &[u8]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?)))
    }

    /// Seal `plain` with AES-256-GCM, bound to `place`: it opens nowhere else.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = crate::random::<NONCE_LEN>();
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .expect("the value is far shorter than AES-GCM's limit");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Open what [`Sealer::seal`] sealed for the same `place`.
    ///
    /// # Errors
    /// [`Unsealable`].
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.0.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| Unsealable)?.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_unchanged() {
        let key = [7; Sealer::KEY_BYTES];
        let sealer = Sealer::new(&key).expect("a key");
        let sealed = sealer.seal("secret:a", b"hidden");
        let again = Sealer::new(&key).expect("a key");
        assert_eq!(again.unseal("secret:a", &sealed).expect("opens").as_slice(), b"hidden");
        assert_eq!(sealer.unseal("secret:b", &sealed), Err(Unsealable));
        let mut changed = sealed.clone();
        changed[15] ^= 1;
        assert_eq!(sealer.unseal("secret:a", &changed), Err(Unsealable));
        assert_eq!(sealer.unseal("secret:a", &sealed[..5]), Err(Unsealable));
        assert!(Sealer::new(b"short").is_none());
    }
}
