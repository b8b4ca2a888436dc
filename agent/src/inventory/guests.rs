//! What runs inside this machine: virtual machines and containers, with the platforms that run them.

pub mod libvirt;
pub mod lxd;
pub mod nspawn;
pub mod oci;

use serde::{Deserialize, Serialize};

use super::{CollectError, is_default, source::Root};

/// Platforms and their guests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Guests {
    /// The processor and the kernel can run virtual machines; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub capable: Option<bool>,
    /// Platforms that are installed.
    pub platforms: Vec<Platform>,
    /// Guests by key.
    pub guests: Vec<Guest>,
    /// The list was cut.
    #[serde(skip_serializing_if = "is_default")]
    pub truncated: bool,
}

/// Something that runs virtual machines or containers.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// `libvirt`, `lxd`, `incus`, `docker`, `podman`, `wsl`, `bhyve`, `vmm`, `hyperv`, `jail`, ...
    pub name: String,
    /// Version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// It answers.
    pub running: bool,
    /// Why its guests could not be listed.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<String>,
}

/// A virtual machine or a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Guest {
    /// `platform/id`.
    pub key: String,
    /// Platform, one of those above.
    pub platform: String,
    /// `vm` or `container`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// The platform's id, where it is another than the name.
    #[serde(skip_serializing_if = "is_default")]
    pub id: String,
    /// `running`, `stopped`, `paused`, ..., as the platform says, in lower case.
    pub state: String,
    /// Image or system it was made from.
    #[serde(skip_serializing_if = "is_default")]
    pub image: String,
    /// Processors it may use.
    #[serde(skip_serializing_if = "is_default")]
    pub cpus: Option<u32>,
    /// Memory it may use, in bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_bytes: Option<u64>,
    /// Starts with the machine; absent when not known.
    #[serde(skip_serializing_if = "is_default")]
    pub at_boot: Option<bool>,
}

/// Guests beyond this many are left out.
const MOST: usize = 5000;

/// A platform with its guests.
pub type Found = (Platform, Vec<Guest>);

pub(super) fn collect(root: &Root) -> Result<Guests, CollectError> {
    let found = [libvirt::collect(root), nspawn::collect(root)];
    let mut all: Vec<Found> = found.into_iter().flatten().collect();
    all.extend(oci::collect(root));
    all.extend(lxd::collect(root));
    let flags = root.text("proc/cpuinfo").unwrap_or_default();
    let capable = root.path("dev/kvm").exists()
        || flags
            .lines()
            .filter(|line| line.starts_with("flags"))
            .any(|line| line.split_whitespace().any(|flag| flag == "vmx" || flag == "svm"));
    Ok(Guests { capable: Some(capable), ..Guests::of(all) })
}

impl Guests {
    /// Platforms and guests in their order, each once.
    pub fn of(found: Vec<Found>) -> Self {
        let (mut platforms, guests): (Vec<Platform>, Vec<Vec<Guest>>) = found.into_iter().unzip();
        let mut guests: Vec<Guest> = guests.into_iter().flatten().collect();
        platforms.sort();
        guests.sort();
        guests.dedup_by(|later, first| later.key == first.key);
        let truncated = guests.len() > MOST;
        guests.truncate(MOST);
        Self { capable: None, platforms, guests, truncated }
    }
}

impl Guest {
    /// With its key.
    pub fn new(platform: &str, kind: &str, id: &str, name: &str, state: &str) -> Self {
        Self {
            key: format!("{platform}/{id}"),
            platform: platform.into(),
            kind: kind.into(),
            name: name.into(),
            id: if id == name { String::new() } else { id.into() },
            state: state.to_lowercase(),
            ..Self::default()
        }
    }
}
