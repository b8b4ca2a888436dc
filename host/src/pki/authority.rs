//! The authority: made on the first start, kept for ever.

use std::{fmt, path::Path, time::Duration};

use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use zeroize::Zeroizing;

use super::{CaFingerprint, PkiError, files};

const YEARS: i64 = 20;
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// Signs the certificates of this host's listeners and of its agents.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    fingerprint: CaFingerprint,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.fingerprint)
    }
}

impl Authority {
    /// Open the authority in `folder`; make one when the folder has none. Half of one is an error, never replaced.
    pub fn open_or_create(folder: &Path, now: DateTime<Utc>) -> Result<Self, PkiError> {
        files::create_folder(folder)?;
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        match (files::read(&certificate)?, files::read(&key)?.map(Zeroizing::new)) {
            (Some(pem), Some(key_pem)) => Self::from_pem(pem, &key_pem)
                .map_err(|reason| PkiError::Damaged { path: certificate.display().to_string(), reason }),
            (None, None) => {
                let (pem, key_pem) = make(now)?;
                files::write(&key, &key_pem)?;
                files::write(&certificate, &pem)?;
                Self::from_pem(pem, &key_pem)
                    .map_err(|reason| PkiError::Damaged { path: certificate.display().to_string(), reason })
            }
            (None, Some(_)) => Err(missing(&certificate)),
            (Some(_), None) => Err(missing(&key)),
        }
    }

    fn from_pem(pem: String, key_pem: &str) -> Result<Self, String> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| e.to_string())?;
        let key = KeyPair::from_pem(key_pem).map_err(|e| e.to_string())?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|e| e.to_string())?;
        let fingerprint = CaFingerprint::of(&certificate);
        Ok(Self { certificate, pem, fingerprint, issuer })
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What agents pin.
    pub fn fingerprint(&self) -> &CaFingerprint {
        &self.fingerprint
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

fn missing(path: &Path) -> PkiError {
    PkiError::Damaged {
        path: path.display().to_string(),
        reason: "it is missing while its other half exists; restore it from a backup".into(),
    }
}

fn make(now: DateTime<Utc>) -> Result<(String, Zeroizing<String>), PkiError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let serial = uuid::Uuid::new_v4().simple().to_string();
    // A name of its own, so that two hosts' authorities are told apart.
    params.distinguished_name.push(DnType::CommonName, format!("SysManage authority {}", &serial[..8]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, now + chrono::Duration::days(365 * YEARS));
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}

/// Valid from a day ago (clocks differ) until `end`.
pub(super) fn set_validity(params: &mut CertificateParams, now: DateTime<Utc>, end: DateTime<Utc>) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |t: DateTime<Utc>| epoch + Duration::from_secs(t.timestamp().try_into().unwrap_or(0));
    params.not_before = at(now - chrono::Duration::days(1));
    params.not_after = at(end);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_authority_survives_a_restart_and_only_its_owner_reads_the_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pki");
        let first = Authority::open_or_create(&path, Utc::now()).expect("made");
        let again = Authority::open_or_create(&path, Utc::now()).expect("opened");
        assert_eq!(first.fingerprint(), again.fingerprint());
        let mode = |p: &Path| std::fs::metadata(p).expect("exists").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join(KEY))), (0o700, 0o600));
    }

    #[test]
    fn an_authority_without_its_key_is_an_error_and_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        Authority::open_or_create(folder.path(), Utc::now()).expect("made");
        std::fs::remove_file(folder.path().join(KEY)).expect("removed");
        let error = Authority::open_or_create(folder.path(), Utc::now()).expect_err("refused");
        assert!(matches!(error, PkiError::Damaged { .. }));
        assert!(!folder.path().join(KEY).exists());
    }
}
