//! TLS certificates that lie on the machine, and when they end. Bundles of authorities are left out.

pub mod configured;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, pem::Pem, prelude::FromDer, public_key::PublicKey,
    x509::SubjectPublicKeyInfo,
};

use super::{CollectError, is_default, source::Root};

/// Certificates found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificates {
    /// Certificates by key.
    pub certificates: Vec<Certificate>,
    /// There were more files than are looked at.
    #[serde(skip_serializing_if = "is_default")]
    pub truncated: bool,
}

/// One certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// The path; with `#2`, `#3`, ... for those that follow in the same file.
    pub key: String,
    /// File.
    pub path: String,
    /// Subject, e.g. `CN=www.example.org`.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal without separators.
    pub serial: String,
    /// Valid from, in Unix seconds.
    pub not_before: i64,
    /// Valid until, in Unix seconds.
    pub not_after: i64,
    /// Names and addresses it stands for.
    #[serde(skip_serializing_if = "is_default")]
    pub names: Vec<String>,
    /// Key, e.g. `RSA 2048`, `EC P-256`, `Ed25519`.
    pub key_algorithm: String,
    /// Signed by itself.
    #[serde(skip_serializing_if = "is_default")]
    pub self_signed: bool,
    /// May sign others.
    #[serde(skip_serializing_if = "is_default")]
    pub authority: bool,
    /// SHA-256 over the certificate, lower-case hexadecimal.
    pub sha256: String,
    /// Whose configuration names it: `nginx`, `apache`, `letsencrypt`, ...
    #[serde(skip_serializing_if = "is_default")]
    pub used_by: Vec<String>,
}

/// Files looked at.
const MOST_FILES: usize = 5000;
/// Folders below folders, no deeper.
const DEEPEST: u32 = 5;
/// A larger file is no certificate but a bundle.
const LARGEST: u64 = 256 << 10;
/// A file with more certificates than this is a bundle of authorities.
const BUNDLE: usize = 8;
/// Names told of one certificate.
const MOST_NAMES: usize = 100;

/// Where certificates are kept.
const PLACES: [&str; 16] = [
    "etc/ssl",
    "etc/letsencrypt/live",
    "etc/pki/tls",
    "etc/pki/nginx",
    "etc/pki/httpd",
    "etc/nginx",
    "etc/apache2",
    "etc/httpd",
    "etc/postfix",
    "etc/dovecot",
    "etc/haproxy",
    "etc/cockpit/ws-certs.d",
    "etc/kubernetes/pki",
    "etc/ldap",
    "usr/local/etc/ssl",
    "usr/local/etc/nginx",
];

pub(super) fn collect(root: &Root) -> Result<Certificates, CollectError> {
    let configured = configured::paths(root);
    let mut files = Vec::new();
    for place in PLACES {
        walk(root, place, 0, &mut files);
    }
    files.extend(configured.keys().cloned());
    files.sort();
    files.dedup();
    let truncated = files.len() > MOST_FILES;
    files.truncate(MOST_FILES);
    let mut certificates: Vec<Certificate> = Vec::new();
    for path in files {
        let used_by = configured.get(&path).cloned().unwrap_or_default();
        let Some(found) = bounded_file(root, &path).map(|bytes| parse(&path, &bytes)) else { continue };
        let new = found.into_iter().map(|found| Certificate { used_by: used_by.clone(), ..found });
        certificates.extend(new);
    }
    certificates.sort();
    Ok(Certificates { certificates, truncated })
}

/// Files below `folder` whose name is that of a certificate. Links into the store of authorities are left out, and so is
/// its bundle; `letsencrypt/live` has nothing but links, which are followed.
fn walk(root: &Root, folder: &str, depth: u32, files: &mut Vec<String>) {
    for name in root.names(folder) {
        let path = format!("{folder}/{name}");
        let Ok(metadata) = std::fs::symlink_metadata(root.path(&path)) else { continue };
        let live = path.starts_with("etc/letsencrypt/");
        let wanted = if live { name == "cert.pem" } else { metadata.is_file() };
        if metadata.is_dir() && depth < DEEPEST {
            walk(root, &path, depth + 1, files);
        } else if wanted
            && files.len() <= MOST_FILES
            && [".pem", ".crt", ".cer", ".cert", ".der"].iter().any(|end| name.ends_with(end))
            && !["ca-certificates.crt", "ca-bundle.crt", "ca-bundle.trust.crt"].contains(&name.as_str())
        {
            files.push(format!("/{path}"));
        }
    }
}

fn bounded_file(root: &Root, path: &str) -> Option<Vec<u8>> {
    let path = root.path(path);
    let length = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
    (length <= LARGEST).then(|| std::fs::read(path).ok()).flatten()
}

/// The certificates of a file, PEM or DER; none when it is a bundle or no certificate.
pub fn parse(path: &str, bytes: &[u8]) -> Vec<Certificate> {
    let mut found: Vec<Certificate> = Vec::new();
    if bytes.first() == Some(&0x30) {
        found.extend(describe(path, bytes));
    } else {
        for pem in Pem::iter_from_buffer(bytes).flatten() {
            if ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"].contains(&pem.label.as_str()) {
                found.extend(describe(path, &pem.contents));
            }
            if found.len() > BUNDLE {
                return Vec::new();
            }
        }
    }
    for (at, certificate) in found.iter_mut().enumerate().skip(1) {
        certificate.key = format!("{path}#{}", at + 1);
    }
    found
}

fn describe(path: &str, der: &[u8]) -> Option<Certificate> {
    let (rest, x509) = X509Certificate::from_der(der).ok()?;
    let der = &der[..der.len() - rest.len()];
    let serial = x509.raw_serial();
    let serial = if serial.len() > 1 && serial[0] == 0 { &serial[1..] } else { serial };
    Some(Certificate {
        key: path.into(),
        path: path.into(),
        subject: x509.subject().to_string(),
        issuer: x509.issuer().to_string(),
        serial: data_encoding::HEXLOWER.encode(serial),
        not_before: x509.validity().not_before.timestamp(),
        not_after: x509.validity().not_after.timestamp(),
        names: names(&x509),
        key_algorithm: key_algorithm(x509.public_key()),
        self_signed: x509.subject() == x509.issuer(),
        authority: x509.is_ca(),
        sha256: super::hex_digest(der),
        used_by: Vec::new(),
    })
}

fn names(x509: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = x509.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some((*name).to_owned())
        }
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).take(MOST_NAMES).collect()
}

fn key_algorithm(key: &SubjectPublicKeyInfo<'_>) -> String {
    let parameter = || key.algorithm.parameters.as_ref()?.as_oid().ok().map(|oid| oid.to_id_string());
    match key.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
            _ => "RSA".into(),
        },
        "1.2.840.10045.2.1" => match parameter().as_deref() {
            Some("1.2.840.10045.3.1.7") => "EC P-256".into(),
            Some("1.3.132.0.34") => "EC P-384".into(),
            Some("1.3.132.0.35") => "EC P-521".into(),
            Some("1.3.132.0.10") => "EC secp256k1".into(),
            Some(other) => format!("EC {other}"),
            None => "EC".into(),
        },
        "1.3.101.112" => "Ed25519".into(),
        "1.3.101.113" => "Ed448".into(),
        "1.2.840.10040.4.1" => "DSA".into(),
        other => other.to_owned(),
    }
}
