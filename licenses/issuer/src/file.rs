//! A private key in a file: PKCS#8, PEM or DER, as `openssl genpkey -algorithm ed25519` writes it too.

use crate::{SignError, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::path::Path;
use trust::{PublicKey, Signature};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A new private key as PEM text.
///
/// # Errors
/// When the system gives no random bytes.
pub fn generate_key() -> Result<Zeroizing<String>, SignError> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| SignError::Unavailable("no random bytes".to_owned()))?;
    let mut pem = Zeroizing::new(format!("{BEGIN}\n"));
    let text = Zeroizing::new(STANDARD.encode(der.as_ref()));
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|&byte| char::from(byte)));
        pem.push('\n');
    }
    pem.push_str(END);
    pem.push('\n');
    Ok(pem)
}

/// Signs with a key that was read into memory.
pub struct FileSigner(Ed25519KeyPair);

impl FileSigner {
    /// Read a key file.
    ///
    /// # Errors
    /// [`SignError::File`], [`SignError::NotAKey`].
    pub fn open(path: &Path) -> Result<Self, SignError> {
        let file = |source| SignError::File { path: path.display().to_string(), source };
        Self::parse(&Zeroizing::new(std::fs::read(path).map_err(file)?))
    }

    /// Read a key: PEM text, or DER.
    ///
    /// # Errors
    /// [`SignError::NotAKey`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SignError> {
        let not_a_key = |why: String| SignError::NotAKey(why);
        let der = match std::str::from_utf8(bytes).ok().and_then(pem_body) {
            Some(body) => STANDARD.decode(&*body).map_err(|e| not_a_key(e.to_string()))?,
            None => bytes.to_vec(),
        };
        let der = Zeroizing::new(der);
        // Files of other tools leave the public half out, so there is nothing to check it against.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|e| not_a_key(e.to_string()))
    }
}

/// What is between the lines of a PEM text, in one piece.
fn pem_body(text: &str) -> Option<Zeroizing<String>> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    Some(Zeroizing::new(body.split_whitespace().collect()))
}

impl Signer for FileSigner {
    fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey::from_bytes(bytes)
    }

    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError> {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(bytes).as_ref());
        Ok(Signature::from_bytes(signature))
    }
}
