//! A pretend machine's key, and the certificate it got.

use agent_protocol::{enroll::poll_proof_message, session::MachineFacts};
use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey};
use serde::{Deserialize, Serialize};

/// A key, what the machine says it is, and what the host gave it. Serializes, so that a fleet can be kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identity {
    key_pem: String,
    /// What the machine says it is.
    pub name: String,
    /// Secret for polling, once enrolled.
    pub handle: Option<String>,
    /// Certificate chain, once approved.
    pub chain_pem: Option<String>,
}

impl Identity {
    /// A new key for a machine called `name`.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self { key_pem: key.serialize_pem(), name: name.into(), handle: None, chain_pem: None })
    }

    /// The private key, PEM.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    fn key(&self) -> anyhow::Result<KeyPair> {
        KeyPair::from_pem(&self.key_pem).context("the key does not parse")
    }

    /// A signing request, PEM.
    pub fn csr_pem(&self) -> anyhow::Result<String> {
        Ok(CertificateParams::default().serialize_request(&self.key()?)?.pem()?)
    }

    /// A signing request, DER.
    pub fn csr_der(&self) -> anyhow::Result<Vec<u8>> {
        Ok(CertificateParams::default().serialize_request(&self.key()?)?.der().to_vec())
    }

    /// Proof that this identity holds its key, for polling with `handle`.
    pub fn proof(&self, handle: &str) -> anyhow::Result<String> {
        Ok(STANDARD.encode(self.key()?.sign(&poll_proof_message(handle))?))
    }

    /// What the machine says it is.
    pub fn facts(&self) -> MachineFacts {
        MachineFacts {
            hostname: self.name.clone(),
            os_family: "linux".into(),
            os_id: "debian".into(),
            os_name: "Debian GNU/Linux 13 (trixie)".into(),
            os_version: "13".into(),
            kernel: "6.12.0".into(),
            arch: "x86_64".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            cpus: 2,
            memory_bytes: 4 << 30,
            boot_id: String::new(),
            addresses: vec!["192.0.2.1".into()],
            hardware: vec![format!("serial:{}", self.name)],
        }
    }
}
