//! Firewalls: which there are, whether they are on, and what they do with what no rule names.

pub mod firewalld;
pub mod iptables;
pub mod nftables;
pub mod ufw;

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

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
    /// `ufw`, `firewalld`, `nftables`, `iptables`, `ip6tables`, `pf`, `ipfw`, `npf`, `application` (macOS), `windows domain` and its like.
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

pub(super) fn collect(root: &Root) -> Result<Firewall, CollectError> {
    let found = [ufw::collect(root), firewalld::collect(root), nftables::collect(root)];
    let mut firewalls: Vec<Filter> = found.into_iter().flatten().collect();
    firewalls.extend(iptables::collect(root));
    Ok(Firewall::of(firewalls))
}

impl Firewall {
    /// With what follows from the list.
    pub fn of(mut firewalls: Vec<Filter>) -> Self {
        firewalls.sort();
        Self { active: firewalls.iter().any(|firewall| firewall.enabled), firewalls }
    }
}

/// Whether systemd starts a unit with the machine; `None` without such a unit.
fn at_boot(root: &Root, unit: &str) -> Option<bool> {
    let there = |folder: &&str| root.path(&format!("{folder}/{unit}")).exists();
    crate::inventory::services::systemd::FOLDERS.iter().find(|folder| there(folder))?;
    let wanted = root.names("etc/systemd/system").into_iter().any(|name| {
        name.ends_with(".wants")
            && std::fs::symlink_metadata(root.path(&format!("etc/systemd/system/{name}/{unit}"))).is_ok()
    });
    Some(wanted)
}
