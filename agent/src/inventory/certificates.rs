//! TLS certificates that lie on the machine, and when they end. Bundles of authorities are left out.

use serde::{Deserialize, Serialize};

use super::is_default;

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
