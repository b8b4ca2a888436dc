//! Secrets that the portal gives out: random, and kept as hashes only.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

/// Random bytes of the system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system's random generator works");
    bytes
}

/// A new secret that begins with `prefix`.
pub fn new(prefix: &str) -> String {
    format!("{prefix}{}", BASE64URL_NOPAD.encode(&random::<32>()))
}

/// What is stored of it. Secrets are random, so that one fast hash is enough.
pub fn hash(secret: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, secret.as_bytes()).as_ref())
}
