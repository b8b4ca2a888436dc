//! `[agents]`: the gateway that machines connect to.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The gateway that machines connect to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentsConfig {
    /// Address to listen on.
    pub address: std::net::IpAddr,
    /// Port to listen on; 0 for any free one.
    pub port: u16,
    /// How often agents send a heartbeat, in seconds.
    pub heartbeat_s: u64,
    /// A machine whose connection stands is offline after this many seconds of silence: its agent hangs. A connection
    /// that broke, and a machine that does not answer the kernel's probes, are noticed within 15 seconds.
    pub offline_after_s: u64,
    /// Life of a machine's certificate, in hours.
    pub certificate_hours: u32,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            address: std::net::Ipv4Addr::UNSPECIFIED.into(),
            port: 8444,
            heartbeat_s: 60,
            offline_after_s: 150,
            certificate_hours: 24 * 7,
        }
    }
}

impl AgentsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ConfigError::range("agents.heartbeat_s", self.heartbeat_s, 1..=3600)?;
        ConfigError::range("agents.offline_after_s", self.offline_after_s, self.heartbeat_s..=86_400)?;
        ConfigError::range("agents.certificate_hours", self.certificate_hours.into(), 1..=8760)
    }
}
