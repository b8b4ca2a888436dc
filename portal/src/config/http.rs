//! `[http]`: the listener, and the address that customers see.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The listener. It speaks plain HTTP: a proxy in front of it ends TLS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Address to listen on.
    pub address: std::net::IpAddr,
    /// Port to listen on; 0 for any free one.
    pub port: u16,
    /// Where customers reach the portal: `https://portal.example.org`. Empty for the listener itself, on this computer.
    pub public_url: String,
    /// Largest body of a request, in KiB.
    pub max_body_kib: u32,
    /// Longest time for an ordinary answer, in seconds. Downloads are not limited.
    pub request_timeout_s: u64,
    /// How long open requests may take to finish at the end, in seconds.
    pub drain_timeout_s: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 8460,
            public_url: String::new(),
            max_body_kib: 256,
            request_timeout_s: 30,
            drain_timeout_s: 20,
        }
    }
}

impl HttpConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let url = self.public_url.as_str();
        if !url.is_empty() && (!url.starts_with("https://") || url.ends_with('/')) {
            let why =
                "begins with https:// and ends without `/`; leave it out to try the portal on this computer";
            return Err(ConfigError::value("http.public_url", why));
        }
        if url.is_empty() && !self.address.is_loopback() {
            let why = "say https://..., the address of the proxy, before others can reach the listener";
            return Err(ConfigError::value("http.public_url", why));
        }
        ConfigError::range("http.max_body_kib", self.max_body_kib.into(), 16..=4096)?;
        ConfigError::range("http.request_timeout_s", self.request_timeout_s, 1..=600)?;
        ConfigError::range("http.drain_timeout_s", self.drain_timeout_s, 0..=600)
    }
}
