//! `[auth]`: passwords, sessions and their limits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConfigError, OidcConfig};

/// Passwords, sessions and their limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Shortest password, in characters.
    pub password_min_length: usize,
    /// How many passwords before the present one are refused.
    pub password_history: u32,
    /// Sorted SHA-1 hashes of stolen passwords, as Have I Been Pwned gives them out; empty for none.
    pub breached_passwords_file: String,
    /// Take names and passwords. Off where everybody signs in through a provider; the admin socket stays.
    pub password_login: bool,
    /// `[auth.oidc.<id>]`: providers to sign in through.
    pub oidc: BTreeMap<String, OidcConfig>,
    /// A session ends after this long without a request, in minutes.
    pub session_idle_minutes: u32,
    /// A session ends this long after log-in, in hours.
    pub session_hours: u32,
    /// Failed log-ins before a user is locked for a minute; each further one doubles the time, up to an hour.
    pub lockout_after: u32,
    /// Failed log-ins from one address, whatever the names, before it has to wait in the same way.
    pub address_lockout_after: u32,
    /// Log-in attempts per minute from one address.
    pub logins_per_minute: u32,
    /// Password hashes computed at once. Each needs about 19 MiB.
    pub hashes_at_once: usize,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            password_min_length: 12,
            password_history: 5,
            breached_passwords_file: String::new(),
            password_login: true,
            oidc: BTreeMap::new(),
            session_idle_minutes: 60,
            session_hours: 12,
            lockout_after: 5,
            address_lockout_after: 30,
            logins_per_minute: 20,
            hashes_at_once: 4,
        }
    }
}

impl AuthConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ConfigError::range("auth.password_min_length", self.password_min_length as u64, 12..=128)?;
        ConfigError::range("auth.session_idle_minutes", self.session_idle_minutes.into(), 1..=1440)?;
        ConfigError::range("auth.session_hours", self.session_hours.into(), 1..=720)?;
        ConfigError::range("auth.lockout_after", self.lockout_after.into(), 1..=100)?;
        ConfigError::range("auth.password_history", self.password_history.into(), 0..=24)?;
        ConfigError::range("auth.address_lockout_after", self.address_lockout_after.into(), 5..=10_000)?;
        ConfigError::range("auth.logins_per_minute", self.logins_per_minute.into(), 1..=10_000)?;
        self.oidc.iter().try_for_each(|(id, provider)| provider.check(id))?;
        ConfigError::range("auth.hashes_at_once", self.hashes_at_once as u64, 1..=64)
    }
}
