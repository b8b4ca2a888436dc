//! `[database]`: SQLite in the data directory, or PostgreSQL.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// SQLite in the data directory, or PostgreSQL.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host/database`; empty for SQLite in the data directory.
    pub url: String,
    /// Most connections: to PostgreSQL, or for reading from SQLite.
    pub max_connections: u32,
    /// Longest wait for a connection, in seconds.
    pub acquire_timeout_s: u64,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: String::new(), max_connections: 16, acquire_timeout_s: 10 }
    }
}

/// Without the URL, which may hold a password.
impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl DatabaseConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.url.is_empty() && !self.url.starts_with("postgres") {
            let why = "begins with postgres://; leave it out for SQLite in the data directory";
            return Err(ConfigError::value("database.url", why));
        }
        ConfigError::range("database.max_connections", self.max_connections.into(), 2..=1000)?;
        ConfigError::range("database.acquire_timeout_s", self.acquire_timeout_s, 1..=300)
    }
}
