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
}

impl Check for InventoryRequest {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.names.len(), 1024, "names")?;
        self.names.iter().try_for_each(|n| name(n, "names"))
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
