//! The certificate that the host's listeners present, replaced before it ends and when the names change.

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use chrono::{DateTime, Duration, Utc};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    SanType,
};
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{Authority, PkiError, authority::set_validity, files};

const DAYS: i64 = 365;

/// The identity of the listeners. Connections that begin after a renewal see the new certificate.
#[derive(Clone)]
pub struct ServerIdentity {
    current: Arc<RwLock<Arc<CertifiedKey>>>,
    names: Arc<BTreeSet<String>>,
    file: Arc<PathBuf>,
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerIdentity").field(&self.names).finish()
    }
}

impl ServerIdentity {
    /// Open the identity in `folder`; make a new one when there is none, when its names differ or when less than a
    /// third of its life is left.
    pub fn open_or_create(
        authority: &Authority,
        folder: &Path,
        names: &[String],
        now: DateTime<Utc>,
    ) -> Result<Self, PkiError> {
        let names = all_names(names);
        let file = folder.join("server.pem");
        let current = match files::read(&file)?.and_then(|pem| load(&pem, authority, &names, now)) {
            Some(key) => key,
            None => make(authority, &file, &names, now)?,
        };
        Ok(Self {
            current: Arc::new(RwLock::new(Arc::new(current))),
            names: Arc::new(names),
            file: Arc::new(file),
        })
    }

    /// Replace the certificate when less than a third of its life is left. Call it daily.
    pub fn renew(&self, authority: &Authority, now: DateTime<Utc>) -> Result<(), PkiError> {
        let fresh = files::read(&self.file)?.and_then(|pem| load(&pem, authority, &self.names, now));
        if fresh.is_none() {
            let key = make(authority, &self.file, &self.names, now)?;
            *self.current.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(key);
        }
        Ok(())
    }

    /// Names and addresses the certificate is good for.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }
}

impl ResolvesServerCert for ServerIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(|e| e.into_inner()).clone())
    }
}

fn all_names(configured: &[String]) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
    let host = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    if !host.is_empty() {
        names.insert(host);
    }
    names.extend(configured.iter().map(|n| n.trim().to_lowercase()).filter(|n| !n.is_empty()));
    names
}

fn make(
    authority: &Authority,
    file: &Path,
    names: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Result<CertifiedKey, PkiError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "SysManage host");
    for name in names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into()?),
        });
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now, now + Duration::days(DAYS));
    let certificate = params.signed_by(&key, authority.issuer())?;
    let pem = zeroize::Zeroizing::new(format!("{}{}", certificate.pem(), key.serialize_pem()));
    files::write(file, &pem)?;
    load(&pem, authority, names, now)
        .ok_or_else(|| PkiError::Damaged { path: file.display().to_string(), reason: "just written".into() })
}

/// The stored identity, unless it is damaged, of another authority, of other names or near its end.
fn load(
    pem: &str,
    authority: &Authority,
    names: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Option<CertifiedKey> {
    let leaf = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).ok()?;
    let (_, ca) = x509_parser::parse_x509_certificate(authority.certificate()).ok()?;
    parsed.verify_signature(Some(ca.public_key())).ok()?;
    let end = parsed.validity().not_after.timestamp();
    if end - now.timestamp() < DAYS * 86_400 / 3 || names_of(&parsed)? != *names {
        return None;
    }
    let signer = rustls::crypto::ring::sign::any_supported_type(&key).ok()?;
    // The authority goes along: an agent that pins its fingerprint finds it in the chain.
    Some(CertifiedKey::new(vec![leaf, authority.certificate().clone()], signer))
}

fn names_of(certificate: &x509_parser::certificate::X509Certificate<'_>) -> Option<BTreeSet<String>> {
    use x509_parser::extensions::GeneralName;
    let names = &certificate.subject_alternative_name().ok()??.value.general_names;
    Some(
        names
            .iter()
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                GeneralName::IPAddress(bytes) => match bytes.len() {
                    4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
                    _ => <[u8; 16]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string()),
                },
                _ => None,
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(identity: &ServerIdentity) -> Vec<u8> {
        identity.current.read().expect("unpoisoned").cert[0].to_vec()
    }

    #[test]
    fn the_identity_is_kept_until_names_change_or_its_end_is_near() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = Utc::now();
        let authority = Authority::open_or_create(folder.path(), now).expect("an authority");
        let open = |names: &[String], at| {
            ServerIdentity::open_or_create(&authority, folder.path(), names, at).expect("an identity")
        };
        let first = open(&[], now);
        assert_eq!(leaf(&first), leaf(&open(&[], now + Duration::days(200))));
        let named = open(&["manage.example.com".into(), "192.0.2.1".into()], now);
        assert_ne!(leaf(&first), leaf(&named));
        let before = leaf(&named);
        named.renew(&authority, now + Duration::days(200)).expect("looked at");
        assert_eq!(leaf(&named), before);
        named.renew(&authority, now + Duration::days(250)).expect("renewed");
        assert_ne!(leaf(&named), before);
    }
}
