//! The one way to a private key.

use trust::{Kind, PublicKey, Signature};

/// Why something was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key file could not be read or written.
    #[error("key file {path}")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not an Ed25519 private key in PKCS#8.
    #[error("not an Ed25519 private key: {0}")]
    NotAKey(String),
    /// The key could not be used: no random bytes, a hardware module that does not answer.
    #[error("the key cannot be used: {0}")]
    Unavailable(String),
    /// The certificate is for another key, or is none.
    #[error("the certificate does not fit")]
    Certificate(#[source] trust::Error),
}

impl SignError {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "key_file",
            Self::NotAKey(_) => "not_a_key",
            Self::Unavailable(_) => "key_unavailable",
            Self::Certificate(cause) => cause.code(),
        }
    }
}

/// Whoever holds an Ed25519 private key.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// Sign exactly these bytes. Callers sign documents through [`sign_document`](Self::sign_document), which puts the
    /// document's kind before them.
    ///
    /// # Errors
    /// When the key cannot be reached.
    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError>;

    /// Sign `bytes` as a document of `kind`.
    ///
    /// # Errors
    /// When the key cannot be reached.
    fn sign_document(&self, kind: Kind, bytes: &[u8]) -> Result<Signature, SignError> {
        self.sign(&kind.message(bytes))
    }
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn public_key(&self) -> PublicKey {
        (**self).public_key()
    }

    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError> {
        (**self).sign(bytes)
    }
}
