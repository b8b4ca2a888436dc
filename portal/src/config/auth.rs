//! `[auth]`: passwords, sessions, invitations.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Passwords, sessions, invitations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Least characters of a password.
    pub password_min_length: usize,
    /// How long a session lasts, in hours.
    pub session_hours: u32,
    /// How long an invitation may be accepted, in days.
    pub invitation_days: u32,
    /// Sign-ins and sign-ups an address may try in a minute.
    pub logins_per_minute: u32,
    /// Wrong passwords before waiting times begin.
    pub free_failures: u32,
    /// Passwords looked at at once; each takes 19 MiB.
    pub hashes_at_once: usize,
    /// Whether the vendor's staff must have a second factor to do the vendor's work.
    pub staff_second_factor: bool,
    /// File of the key that seals authenticators' secrets. Empty for `secrets.key` in the data directory, made at the first start.
    pub secrets_key_file: String,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            password_min_length: 12,
            session_hours: 12,
            invitation_days: 7,
            logins_per_minute: 20,
            free_failures: 5,
            hashes_at_once: 4,
            staff_second_factor: true,
            secrets_key_file: String::new(),
        }
    }
}

impl AuthConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ConfigError::range("auth.password_min_length", self.password_min_length as u64, 8..=128)?;
        ConfigError::range("auth.session_hours", self.session_hours.into(), 1..=720)?;
        ConfigError::range("auth.invitation_days", self.invitation_days.into(), 1..=90)?;
        ConfigError::range("auth.logins_per_minute", self.logins_per_minute.into(), 1..=100_000)?;
        ConfigError::range("auth.free_failures", self.free_failures.into(), 1..=100)?;
        ConfigError::range("auth.hashes_at_once", self.hashes_at_once as u64, 1..=256)
    }
}
