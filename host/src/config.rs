//! Configuration: `sysmanage.toml`, then environment (`SYSMANAGE__HTTP__PORT`), then flags; a file per section.
//!
//! Every key has a default and is in `Config::default()` written out, so that an unknown key is refused with the
//! nearest known one. To add a section, write `config/<section>.rs` and add it to [`Config`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

mod agents;
mod auth;
mod database;
mod engines;
mod http;
mod inventory;
mod load;
mod log;
mod marketplace;
mod metrics;
mod oidc;

pub use agents::AgentsConfig;
pub use auth::AuthConfig;
pub use database::DatabaseConfig;
pub use engines::EnginesConfig;
pub use http::HttpConfig;
pub use inventory::InventoryConfig;
pub use load::{ConfigError, Environment};
pub use log::{LogConfig, LogFormat};
pub use marketplace::MarketplaceConfig;
pub use metrics::MetricsConfig;
pub use oidc::{Hidden, OidcConfig};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where database, keys and engines are kept.
    pub data_dir: PathBuf,
    /// `[http]`
    pub http: HttpConfig,
    /// `[agents]`
    pub agents: AgentsConfig,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[auth]`
    pub auth: AuthConfig,
    /// `[engines]`
    pub engines: EnginesConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[inventory]`
    pub inventory: InventoryConfig,
    /// `[metrics]`
    pub metrics: MetricsConfig,
    /// `[marketplace]`
    pub marketplace: MarketplaceConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            http: HttpConfig::default(),
            agents: AgentsConfig::default(),
            database: DatabaseConfig::default(),
            auth: AuthConfig::default(),
            engines: EnginesConfig::default(),
            log: LogConfig::default(),
            inventory: InventoryConfig::default(),
            metrics: MetricsConfig::default(),
            marketplace: MarketplaceConfig::default(),
        }
    }
}

impl Config {
    /// Read `file` (nothing when `None`), apply the environment and check the whole.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let config: Self = load::load(file, environment)?;
        config.check()?;
        Ok(config)
    }

    /// Check values against each other and their ranges.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.http.check()?;
        self.agents.check()?;
        self.database.check()?;
        self.auth.check()?;
        self.inventory.check()?;
        self.marketplace.check()?;
        self.log.check()
    }

    /// Name that machines and browsers reach the host by: `http.public_name`, else the computer's name.
    pub fn public_name(&self) -> String {
        if !self.http.public_name.is_empty() {
            return self.http.public_name.clone();
        }
        rustix::system::uname()
            .nodename()
            .to_str()
            .ok()
            .filter(|n| !n.is_empty())
            .unwrap_or("localhost")
            .to_owned()
    }
}
