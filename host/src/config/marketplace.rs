//! `[marketplace]`: the portal that engines come from.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The portal that engines come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarketplaceConfig {
    /// Whether the host ever speaks to a portal. Packages and bundles that somebody brings are taken in anyway.
    pub enabled: bool,
    /// Address of the portal, `https://...`; `http://` on loopback only. Empty for none.
    pub url: String,
    /// File with the first root of the catalogue's signatures; empty for the one that was built in.
    pub root_file: String,
    /// Hours between two looks at the catalogue.
    pub refresh_hours: u32,
    /// Largest air-gap bundle, in MiB.
    pub max_bundle_mib: u32,
}

impl Default for MarketplaceConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            url: String::new(),
            root_file: String::new(),
            refresh_hours: 6,
            max_bundle_mib: 4096,
        }
    }
}

impl MarketplaceConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ConfigError::range("marketplace.refresh_hours", self.refresh_hours.into(), 1..=168)?;
        ConfigError::range("marketplace.max_bundle_mib", self.max_bundle_mib.into(), 1..=65_536)?;
        if self.url.is_empty() {
            return Ok(());
        }
        let wrong = |why: &str| Err(ConfigError::value("marketplace.url", format!("`{}` {why}", self.url)));
        let Ok(url) = reqwest::Url::parse(&self.url) else { return wrong("is no address") };
        let Some(host) = url.host_str() else { return wrong("names no computer") };
        let host = host.trim_matches(['[', ']']);
        let loopback =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return wrong("would go unencrypted over the network: https is needed beyond loopback"),
            _ => return wrong("begins neither with https:// nor http://"),
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return wrong("has a name, a password or a query, which it must not");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portal_is_reached_encrypted_or_on_this_computer() {
        let check = |url: &str| MarketplaceConfig { url: url.into(), ..Default::default() }.check();
        for good in ["", "https://portal.example.org", "http://127.0.0.1:8460", "http://[::1]:8460/base"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "portal.example.org",
            "http://portal.example.org",
            "http://localhost.example.org",
            "ftp://127.0.0.1",
            "https://name:word@portal.example.org",
            "https://portal.example.org/?x=1",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
