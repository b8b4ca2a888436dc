//! What runs inside this machine: virtual machines and containers, with the platforms that run them.

use serde::{Deserialize, Serialize};

use super::is_default;

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
