//! Certificates of agents: short-lived, for a key that an administrator approved.

use chrono::{DateTime, Duration, Utc};
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKey, PublicKeyData,
};
use rustls_pki_types::{CertificateSigningRequestDer, pem::PemObject};
use uuid::Uuid;

use super::{Authority, KeyFingerprint, PkiError, authority::set_validity};

/// A signing request whose signature was verified: the sender holds the key.
#[derive(Debug)]
pub struct CertificateSigningRequest {
    key: PublicKey,
    fingerprint: KeyFingerprint,
}

impl CertificateSigningRequest {
    /// Parse and verify PEM. Only ECDSA P-256 keys are taken; names and extensions are ignored.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
            .map_err(|e| PkiError::BadRequest(e.to_string()))?;
        Self::from_der(&der)
    }

    /// Parse and verify DER.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let request = CertificateSigningRequestParams::from_der(&der.into())
            .map_err(|e| PkiError::BadRequest(e.to_string()))?;
        if request.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(PkiError::BadRequest("only ECDSA P-256 keys are taken".into()));
        }
        let fingerprint = KeyFingerprint::of(&request.public_key.subject_public_key_info());
        Ok(Self { key: request.public_key, fingerprint })
    }

    /// The identity of the key.
    pub fn fingerprint(&self) -> &KeyFingerprint {
        &self.fingerprint
    }

    /// The public key (uncompressed point), to verify later proofs with.
    pub fn public_key(&self) -> &[u8] {
        self.key.der_bytes()
    }

    /// The public key with its algorithm, DER.
    pub fn public_key_info(&self) -> Vec<u8> {
        self.key.subject_public_key_info()
    }
}

/// A client certificate with its chain.
#[derive(Debug, Clone)]
pub struct AgentCertificate {
    /// Leaf, then authority, PEM.
    pub chain_pem: String,
    /// Leaf, then authority, DER.
    pub chain_der: Vec<Vec<u8>>,
    /// End of the leaf's life.
    pub not_after: DateTime<Utc>,
}

/// A key without a signing request: one the host knows already.
struct KnownKey<'a>(&'a [u8]);

impl PublicKeyData for KnownKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }
    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Authority {
    /// Sign a client certificate for `machine`'s approved public key (uncompressed P-256 point). Agents renew when two
    /// thirds of its life are over.
    pub fn sign_agent(
        &self,
        public_key: &[u8],
        machine: Uuid,
        now: DateTime<Utc>,
        life: Duration,
    ) -> Result<AgentCertificate, PkiError> {
        let not_after = now + life;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, format!("machine {machine}"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, not_after);
        let leaf = params.signed_by(&KnownKey(public_key), self.issuer())?;
        Ok(AgentCertificate {
            chain_pem: format!("{}{}", leaf.pem(), self.pem()),
            chain_der: vec![leaf.der().to_vec(), self.certificate().to_vec()],
            not_after,
        })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::KeyPair;

    use super::*;

    #[test]
    fn the_certificate_carries_the_key_of_the_request_and_none_of_its_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path(), Utc::now()).expect("an authority");
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let asked = CertificateParams::new(vec!["admin.example.com".into()]).expect("names");
        let pem = asked.serialize_request(&key).and_then(|r| r.pem()).expect("a request");
        let request = CertificateSigningRequest::from_pem(&pem).expect("verified");
        let issued = authority
            .sign_agent(request.public_key(), Uuid::nil(), Utc::now(), Duration::days(7))
            .expect("signed");
        let leaf = &issued.chain_der[0];
        assert_eq!(KeyFingerprint::of_certificate(leaf).as_ref(), Some(request.fingerprint()));
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf).expect("a certificate");
        assert!(parsed.subject_alternative_name().expect("no duplicates").is_none());
    }

    #[test]
    fn a_damaged_or_foreign_request_is_refused() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let request = CertificateParams::default().serialize_request(&key).expect("a request");
        assert!(matches!(CertificateSigningRequest::from_der(request.der()), Err(PkiError::BadRequest(_))));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let mut der = CertificateParams::default().serialize_request(&key).expect("a request").der().to_vec();
        let last = der.len() - 1;
        der[last] ^= 1;
        assert!(matches!(CertificateSigningRequest::from_der(&der), Err(PkiError::BadRequest(_))));
        assert!(matches!(CertificateSigningRequest::from_pem("nonsense"), Err(PkiError::BadRequest(_))));
    }
}
