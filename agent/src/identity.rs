//! Who this machine is: a key that never leaves it, and the certificate the host gave for it.

use std::io;

use agent_protocol::UnixMs;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, SigningKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::storage::{DataDir, read_optional, write_private};

const MAX_PEM: u64 = 256 << 10;

/// Why there is no usable identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The files cannot be read or written.
    #[error("the identity's files cannot be used: {0}")]
    Io(#[from] io::Error),
    /// The key file is damaged.
    #[error("identity.key is not a usable key: {0}")]
    Key(#[source] rcgen::Error),
    /// A certificate is damaged.
    #[error("a certificate does not parse")]
    Certificate,
    /// The certificate is for another key.
    #[error("the certificate is for another key than this machine's")]
    OtherKey,
    /// The chain does not end in the authority this machine trusts.
    #[error("the certificate was not issued by the authority this machine trusts")]
    OtherAuthority,
}

/// The machine's key.
pub struct Identity {
    key: KeyPair,
}

/// A certificate of this machine with the chain that goes with it.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Begin of its life.
    pub not_before: UnixMs,
    /// End of its life.
    pub not_after: UnixMs,
}

impl Identity {
    /// Read the key, or make one and store it.
    pub fn load_or_create(data: &DataDir) -> Result<Self, IdentityError> {
        if let Some(identity) = Self::load(data)? {
            return Ok(identity);
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(IdentityError::Key)?;
        write_private(&data.key(), Zeroizing::new(key.serialize_pem()).as_bytes())?;
        Ok(Self { key })
    }

    /// Read the key, if there is one.
    pub fn load(data: &DataDir) -> Result<Option<Self>, IdentityError> {
        let Some(bytes) = read_optional(&data.key(), MAX_PEM)? else { return Ok(None) };
        let bytes = Zeroizing::new(bytes);
        let pem = std::str::from_utf8(&bytes)
            .map_err(|_| IdentityError::Key(rcgen::Error::CouldNotParseKeyPair))?;
        let key = KeyPair::from_pem_and_sign_algo(pem, &rcgen::PKCS_ECDSA_P256_SHA256)
            .map_err(IdentityError::Key)?;
        Ok(Some(Self { key }))
    }

    /// A certificate request. The name is for people; the host goes by the key.
    pub fn request(&self, name: &str) -> Result<rcgen::CertificateSigningRequest, IdentityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serialize_request(&self.key).map_err(IdentityError::Key)
    }

    /// ECDSA P-256 SHA-256 signature, ASN.1.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        self.key.sign(message).map_err(IdentityError::Key)
    }

    /// The key for TLS.
    pub fn tls_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal: what the host knows this machine by.
    pub fn fingerprint(&self) -> String {
        crate::inventory::hex_digest(&self.key.subject_public_key_info())
    }

    /// Check that `chain` is for this key and from `authority`.
    pub fn check(
        &self,
        chain: Vec<CertificateDer<'static>>,
        authority: &CertificateDer<'_>,
    ) -> Result<Certificate, IdentityError> {
        let leaf = chain.first().ok_or(IdentityError::Certificate)?;
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| IdentityError::Certificate)?;
        if parsed.public_key().raw != self.key.subject_public_key_info() {
            return Err(IdentityError::OtherKey);
        }
        let (_, issuer) = X509Certificate::from_der(authority).map_err(|_| IdentityError::Certificate)?;
        if parsed.issuer() != issuer.subject()
            || chain.last().is_none_or(|last| last != authority && chain.len() > 1)
        {
            return Err(IdentityError::OtherAuthority);
        }
        let ms = |time: x509_parser::time::ASN1Time| time.timestamp().saturating_mul(1000);
        let (not_before, not_after) = (ms(parsed.validity().not_before), ms(parsed.validity().not_after));
        Ok(Certificate { not_before, not_after, chain })
    }
}

impl Certificate {
    /// Read the stored certificate, if there is one, and check it as [`Identity::check`] does.
    pub fn load(
        data: &DataDir,
        identity: &Identity,
        authority: &CertificateDer<'_>,
    ) -> Result<Option<Self>, IdentityError> {
        match read_optional(&data.certificate(), MAX_PEM)? {
            Some(pem) => identity.check(parse_chain(&pem)?, authority).map(Some),
            None => Ok(None),
        }
    }

    /// Store it.
    pub fn store(&self, data: &DataDir) -> Result<(), IdentityError> {
        let pem: String = self.chain.iter().map(|der| to_pem(der)).collect();
        Ok(write_private(&data.certificate(), pem.as_bytes())?)
    }

    /// When to ask for the next: two thirds into its life.
    pub fn renew_at(&self) -> UnixMs {
        self.not_before.saturating_add(self.not_after.saturating_sub(self.not_before) / 3 * 2)
    }
}

/// Certificates of a PEM text.
pub fn parse_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| IdentityError::Certificate)?;
    if chain.is_empty() { Err(IdentityError::Certificate) } else { Ok(chain) }
}

/// Read the authority this machine trusts.
pub fn load_authority(data: &DataDir) -> Result<Option<CertificateDer<'static>>, IdentityError> {
    match read_optional(&data.authority(), MAX_PEM)? {
        Some(pem) => Ok(parse_chain(&pem)?.into_iter().next()),
        None => Ok(None),
    }
}

/// Store the authority this machine trusts from now on.
pub fn store_authority(data: &DataDir, authority: &CertificateDer<'_>) -> Result<(), IdentityError> {
    Ok(write_private(&data.authority(), to_pem(authority).as_bytes())?)
}

/// A certificate as PEM.
pub fn to_pem(der: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in body.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|b| char::from(*b)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
