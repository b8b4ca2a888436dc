//! Configuration: `portal.toml`, then flags. Secrets stand in files of their own, which the configuration names.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

mod auth;
mod catalogue;
mod database;
mod distribution;
mod downloads;
mod http;
mod licenses;
mod payments;
mod releases;

pub use auth::AuthConfig;
pub use catalogue::CatalogueConfig;
pub use database::DatabaseConfig;
pub use distribution::DistributionConfig;
pub use downloads::DownloadsConfig;
pub use http::HttpConfig;
pub use licenses::{KeyConfig, KeyUse, LicensesConfig, Pkcs11Config};
pub use payments::{PaymentsConfig, StripeConfig};
pub use releases::ReleasesConfig;

/// The whole configuration. Every key has a default; an unknown key is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the database and the packages are kept.
    pub data_dir: PathBuf,
    /// What is logged: `info`, or `info,portal::orders=debug`.
    pub log: String,
    /// The file it was read from, where there is one: keys are looked for there again.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// `[http]`
    pub http: HttpConfig,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[auth]`
    pub auth: AuthConfig,
    /// `[catalogue]`
    pub catalogue: CatalogueConfig,
    /// `[payments]`
    pub payments: PaymentsConfig,
    /// `[licenses]`
    pub licenses: LicensesConfig,
    /// `[distribution]`
    pub distribution: DistributionConfig,
    /// `[releases]`
    pub releases: ReleasesConfig,
    /// `[downloads]`
    pub downloads: DownloadsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("portal-data"),
            log: "info,sqlx=warn,sea_orm_migration=warn".into(),
            file: None,
            http: HttpConfig::default(),
            database: DatabaseConfig::default(),
            auth: AuthConfig::default(),
            catalogue: CatalogueConfig::default(),
            payments: PaymentsConfig::default(),
            licenses: LicensesConfig::default(),
            distribution: DistributionConfig::default(),
            releases: ReleasesConfig::default(),
            downloads: DownloadsConfig::default(),
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key that there is not.
    #[error("{}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Position and reason.
        message: String,
    },
    /// A value that cannot be used.
    #[error("{key}: {why}")]
    Value {
        /// The key, dotted.
        key: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
}

impl ConfigError {
    fn value(key: &'static str, why: impl Into<String>) -> Self {
        Self::Value { key, why: why.into() }
    }

    fn range(key: &'static str, value: u64, allowed: std::ops::RangeInclusive<u64>) -> Result<(), Self> {
        if allowed.contains(&value) {
            return Ok(());
        }
        Err(Self::value(key, format!("{value} is not between {} and {}", allowed.start(), allowed.end())))
    }
}

impl Config {
    /// Read `file` (the defaults when `None`) and check the whole.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let config: Self = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
                toml::from_str(&text).map_err(|error| ConfigError::Malformed {
                    path: path.into(),
                    message: error.to_string(),
                })?
            }
            None => Self::default(),
        };
        config.check()?;
        Ok(config)
    }

    /// Check values against each other and their ranges.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.http.check()?;
        self.database.check()?;
        self.auth.check()?;
        self.catalogue.check()?;
        self.payments.check()?;
        self.licenses.check()?;
        self.distribution.check()?;
        self.releases.check()?;
        self.downloads.check()?;
        tracing_subscriber::EnvFilter::try_new(&self.log)
            .map(drop)
            .map_err(|error| ConfigError::value("log", error.to_string()))
    }
}
