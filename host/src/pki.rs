//! The host's own certificate authority: its key, the servers' certificates, the agents' short-lived ones.
//!
//! Everything lives in one folder that only the service may read. A machine's identity is the SHA-256 of its public
//! key, so certificates may be renewed at will and names in them mean nothing.

mod agent;
mod authority;
mod files;
mod fingerprint;
mod server;
mod tls;

use std::path::Path;

use chrono::{DateTime, Utc};

pub use agent::{AgentCertificate, CertificateSigningRequest};
pub use authority::Authority;
pub use fingerprint::{CaFingerprint, KeyFingerprint};
pub use server::ServerIdentity;
pub use tls::{api_tls, gateway_tls, install_crypto};

/// What can go wrong with keys and certificates.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file of the authority cannot be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// `read`, `write`, ...
        action: &'static str,
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of the authority does not hold what it should.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A certificate or key could not be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// A signing request is not one, or not one that we sign.
    #[error("the signing request is refused: {0}")]
    BadRequest(String),
    /// rustls does not take a key or certificate.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// The authority and the identity the host's listeners present.
#[derive(Debug)]
pub struct Pki {
    /// Signs servers' and agents' certificates.
    pub authority: Authority,
    /// What the listeners present.
    pub server: ServerIdentity,
}

impl Pki {
    /// Open the authority in `folder`, creating it on the first start, with a server certificate for `names`
    /// (host names or addresses; `localhost`, loopback and the computer's name are added).
    pub fn open(folder: &Path, names: &[String], now: DateTime<Utc>) -> Result<Self, PkiError> {
        let authority = Authority::open_or_create(folder, now)?;
        let server = ServerIdentity::open_or_create(&authority, folder, names, now)?;
        Ok(Self { authority, server })
    }
}
