//! Inventory in sections, each with a digest: an unchanged machine costs one digest per section.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use crate::{
    UnixMs,
    frame::{Check, at_most, name},
    limits,
};

/// Names of the sections the core collects. Engines add `<engine>.<name>`.
pub mod sections {
    /// Operating system, kernel, virtualisation, time zone.
    pub const OS: &str = "os";
    /// Processors.
    pub const CPU: &str = "cpu";
    /// Memory and swap.
    pub const MEMORY: &str = "memory";
    /// Block devices and file systems.
    pub const DISKS: &str = "disks";
    /// Interfaces, addresses, routes, resolvers.
    pub const NETWORK: &str = "network";
    /// Installed packages.
    pub const PACKAGES: &str = "packages";
}

/// Capability of both sides: changed items of a section may travel alone.
pub const INVENTORY_DELTA: &str = "inventory_delta";

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(ByteArray<32>);

impl Digest {
    /// From its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(ByteArray::new(bytes))
    }
    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
    /// Lower-case hexadecimal.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }
    /// From hexadecimal of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        Some(Self::new(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// A section and what it hashes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionDigest {
    /// Section.
    pub name: String,
    /// SHA-256 of [`InventorySection::data`].
    pub digest: Digest,
}

/// Send these sections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryRequest {
    /// Section names; empty for all.
    pub names: Vec<String>,
    /// Collect anew first, rather than send what is known.
    #[serde(default)]
    pub refresh: bool,
    /// What the host has of these sections: an agent that remembers it may answer with a delta. Only what is named here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<SectionDigest>,
}

impl Check for InventoryRequest {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.names.len(), 1024, "names")?;
        at_most(self.bases.len(), 1024, "bases")?;
        self.names.iter().try_for_each(|n| name(n, "names"))?;
        self.bases.iter().try_for_each(|b| name(&b.name, "bases"))
    }
}

/// One section. Sent when asked for, and unasked when its digest changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventorySection {
    /// Section.
    pub name: String,
    /// SHA-256 of `data`; the host checks it.
    pub digest: Digest,
    /// When it was collected.
    pub collected_at: UnixMs,
    /// JSON with sorted keys and without volatile values, so that equal facts give equal bytes.
    pub data: ByteBuf,
}

impl Check for InventorySection {
    fn check(&self) -> Result<(), &'static str> {
        name(&self.name, "name")?;
        at_most(self.data.len(), limits::MAX_SECTION_BYTES, "data")
    }
}

/// What changed of a section since the host's `base`. What the items are says [`crate::items`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryDelta {
    /// Section.
    pub name: String,
    /// SHA-256 of the section the host has, as it was acknowledged.
    pub base: Digest,
    /// SHA-256 of the section as it is now, as [`InventorySection::digest`] would say.
    pub digest: Digest,
    /// [`crate::items::check`] of the section as it is now: what the host must come to.
    pub check: Digest,
    /// When it was collected.
    pub collected_at: UnixMs,
    /// A JSON object of the section's shape with new and changed items only.
    pub upserts: ByteBuf,
    /// Items that are gone.
    #[serde(default)]
    pub removed: Vec<RemovedItems>,
}

impl Check for InventoryDelta {
    fn check(&self) -> Result<(), &'static str> {
        name(&self.name, "name")?;
        at_most(self.upserts.len(), limits::MAX_SECTION_BYTES, "upserts")?;
        at_most(self.removed.len(), 1024, "removed")?;
        self.removed.iter().try_for_each(|r| name(&r.member, "removed"))
    }
}

/// Items of one member that are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedItems {
    /// The section's member.
    pub member: String,
    /// Keys of its items; empty when the member itself is gone.
    #[serde(default)]
    pub keys: Vec<String>,
}

/// The host has stored a section. Only sent to agents with [`INVENTORY_DELTA`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryAck {
    /// Section.
    pub name: String,
    /// What it stored.
    pub digest: Digest,
}

impl Check for InventoryAck {
    fn check(&self) -> Result<(), &'static str> {
        name(&self.name, "name")
    }
}
