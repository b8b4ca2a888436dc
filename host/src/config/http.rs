//! `[http]`: the API and console listener.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The API and console listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Address to listen on.
    pub address: std::net::IpAddr,
    /// Port to listen on; 0 for any free one.
    pub port: u16,
    /// Name in the certificate, in links and in enrolment commands; empty for the computer's name.
    pub public_name: String,
    /// Speak plain HTTP. Only behind a proxy on the same computer, which then ends TLS.
    pub plain: bool,
    /// Further names and addresses for the certificate of the internal CA.
    pub certificate_names: Vec<String>,
    /// PEM files of a certificate and key to use instead of the internal CA's.
    pub certificate_file: String,
    /// See `certificate_file`.
    pub key_file: String,
    /// Largest body of an ordinary request, in KiB. Uploads of engines have a limit of their own.
    pub max_body_kib: u32,
    /// Longest time for an ordinary answer, in seconds. Streams are not limited.
    pub request_timeout_s: u64,
    /// How long open requests may take to finish when the host stops, in seconds.
    pub drain_timeout_s: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            address: std::net::Ipv4Addr::UNSPECIFIED.into(),
            port: 8443,
            public_name: String::new(),
            plain: false,
            certificate_names: Vec::new(),
            certificate_file: String::new(),
            key_file: String::new(),
            max_body_kib: 2048,
            request_timeout_s: 30,
            drain_timeout_s: 20,
        }
    }
}

impl HttpConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.plain && !self.address.is_loopback() {
            let why =
                "plain HTTP is only for a proxy on the same computer: set http.address to 127.0.0.1 or ::1";
            return Err(ConfigError::value("http.plain", why));
        }
        if self.certificate_file.is_empty() != self.key_file.is_empty() {
            return Err(ConfigError::value("http.key_file", "certificate_file and key_file go together"));
        }
        ConfigError::range("http.max_body_kib", self.max_body_kib.into(), 16..=1_048_576)?;
        ConfigError::range("http.request_timeout_s", self.request_timeout_s, 1..=3600)?;
        ConfigError::range("http.drain_timeout_s", self.drain_timeout_s, 0..=600)
    }
}
