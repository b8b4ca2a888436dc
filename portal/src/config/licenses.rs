//! `[licenses]`: the keys that sign, and the terms that licences carry.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Licences.
    License,
    /// Revocation lists.
    Revocation,
    /// Countersignatures of usage receipts.
    Portal,
}

impl KeyUse {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::License => "license",
            Self::Revocation => "revocation",
            Self::Portal => "portal",
        }
    }
}

/// `[[licenses.keys]]`: a key. There may be several for a use; the newest that is valid signs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// What it signs.
    #[serde(rename = "use")]
    pub of: KeyUse,
    /// PEM file of the key; empty for one in a hardware module.
    #[serde(default)]
    pub key_file: String,
    /// Certificates of that key, its own first, one a line.
    pub certificate_file: String,
    /// The key in a hardware module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkcs11: Option<Pkcs11Config>,
}

/// A key in a hardware module, by PKCS#11. Needs a build with the feature `pkcs11`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Config {
    /// The module's library.
    pub module: String,
    /// Label of the token.
    pub token: String,
    /// Label of the key.
    pub label: String,
    /// File with the PIN of the token's user.
    pub pin_file: String,
}

impl KeyConfig {
    /// Where the key is, for people.
    pub fn source(&self) -> String {
        match &self.pkcs11 {
            Some(key) => format!("{}/{}", key.token, key.label),
            None => self.key_file.clone(),
        }
    }
}

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
    /// Days before the end of the last valid certificate of a use from which the portal warns.
    pub warn_days: u16,
    /// Days after the end of a term in which everything still works.
    pub grace_days: u16,
    /// Days that a host may be without contact to the portal; 0 for any time.
    pub offline_days: u16,
    /// Further keys.
    pub keys: Vec<KeyConfig>,
}

impl Default for LicensesConfig {
    fn default() -> Self {
        Self {
            key_file: String::new(),
            certificate_file: String::new(),
            revocation_key_file: String::new(),
            revocation_certificate_file: String::new(),
            warn_days: 30,
            grace_days: 14,
            offline_days: 0,
            keys: Vec::new(),
        }
    }
}

/// Most keys: a few for each use.
const MAX_KEYS: usize = 32;

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
        let whole = |key: &KeyConfig| {
            key.key_file.is_empty() == key.pkcs11.is_some() && !key.certificate_file.is_empty()
        };
        if !self.keys.iter().all(whole) {
            let why = "a key has a certificate_file, and either a key_file or pkcs11";
            return Err(ConfigError::value("licenses.keys", why));
        }
        ConfigError::range("licenses.keys", self.keys.len() as u64, 0..=MAX_KEYS as u64)?;
        ConfigError::range("licenses.warn_days", self.warn_days.into(), 1..=365)?;
        ConfigError::range("licenses.grace_days", self.grace_days.into(), 0..=365)?;
        ConfigError::range("licenses.offline_days", self.offline_days.into(), 0..=3650)
    }

    /// Every key for a use.
    pub fn keys_of(&self, of: KeyUse) -> impl Iterator<Item = KeyConfig> {
        let (key_file, certificate_file) = match of {
            KeyUse::License => (&self.key_file, &self.certificate_file),
            KeyUse::Revocation => (&self.revocation_key_file, &self.revocation_certificate_file),
            KeyUse::Portal => (&String::new(), &String::new()),
        };
        let (key_file, certificate_file) = (key_file.clone(), certificate_file.clone());
        let single = Some(KeyConfig { of, key_file, certificate_file, pkcs11: None })
            .filter(|key| !key.key_file.is_empty());
        single.into_iter().chain(self.keys.iter().filter(move |key| key.of == of).cloned())
    }
}
