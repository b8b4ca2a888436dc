//! `[licenses]`: the keys that sign, and the terms that licences carry.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The keys that sign, and the terms that licences carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LicensesConfig {
    /// PEM file of the key that signs licences. Empty for the development key, which a release build has not.
    pub key_file: String,
    /// Certificates of that key, its own first, one a line.
    pub certificate_file: String,
    /// PEM file of the key that signs revocation lists. Empty for the development key.
    pub revocation_key_file: String,
    /// Certificates of that key.
    pub revocation_certificate_file: String,
    /// Days after the end of a term in which everything still works.
    pub grace_days: u16,
    /// Days that a host may be without contact to the portal; 0 for any time.
    pub offline_days: u16,
}

impl Default for LicensesConfig {
    fn default() -> Self {
        Self {
            key_file: String::new(),
            certificate_file: String::new(),
            revocation_key_file: String::new(),
            revocation_certificate_file: String::new(),
            grace_days: 14,
            offline_days: 0,
        }
    }
}

impl LicensesConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.key_file.is_empty() != self.certificate_file.is_empty() {
            let why = "key_file and certificate_file go together";
            return Err(ConfigError::value("licenses.certificate_file", why));
        }
        if self.revocation_key_file.is_empty() != self.revocation_certificate_file.is_empty() {
            let why = "revocation_key_file and revocation_certificate_file go together";
            return Err(ConfigError::value("licenses.revocation_certificate_file", why));
        }
        ConfigError::range("licenses.grace_days", self.grace_days.into(), 0..=365)?;
        ConfigError::range("licenses.offline_days", self.offline_days.into(), 0..=3650)
    }
}
