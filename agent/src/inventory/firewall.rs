//! Firewalls: which there are, whether they are on, and what they do with what no rule names.

use serde::{Deserialize, Serialize};

use super::is_default;

/// Firewalls of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firewall {
    /// At least one of them filters.
    pub active: bool,
    /// Those that are installed.
    pub firewalls: Vec<Filter>,
}

/// One firewall, or one front end of the kernel's.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// `ufw`, `firewalld`, `nftables`, `iptables`, `ip6tables`, `pf`, `ipfw`, `npf`, `windows`, `application` (macOS).
    pub name: String,
    /// It filters.
    pub enabled: bool,
    /// Starts with the machine; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub at_boot: Option<bool>,
    /// What happens to incoming packets that no rule names: `accept`, `drop`, `reject`; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub incoming: Option<String>,
    /// The same for outgoing packets.
    #[serde(skip_serializing_if = "is_default")]
    pub outgoing: Option<String>,
    /// The same for forwarded packets.
    #[serde(skip_serializing_if = "is_default")]
    pub forwarded: Option<String>,
    /// Rules; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub rules: Option<u32>,
    /// Default zone or active profile, where there are such.
    #[serde(skip_serializing_if = "is_default")]
    pub profile: String,
}
