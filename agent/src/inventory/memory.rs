//! Memory and swap, from `/proc/meminfo`.

use serde::{Deserialize, Serialize};

use super::{CollectError, source::Root};

/// Sizes that change only with the hardware or the swap configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Memory the kernel manages, in bytes.
    pub total_bytes: u64,
    /// Swap, in bytes.
    pub swap_total_bytes: u64,
}

/// The counters of `/proc/meminfo` that the agent uses, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemInfo {
    /// `MemTotal`.
    pub total: u64,
    /// `MemAvailable`, or free + buffers + cached on old kernels.
    pub available: u64,
    /// `SwapTotal`.
    pub swap_total: u64,
    /// `SwapFree`.
    pub swap_free: u64,
}

/// Parse `/proc/meminfo`.
pub fn parse_meminfo(text: &str) -> MemInfo {
    let mut info = MemInfo::default();
    let mut available = None;
    let mut reclaimable = 0_u64;
    for line in text.lines() {
        let Some((key, rest)) = line.split_once(':') else { continue };
        let mut words = rest.split_whitespace();
        let Some(number) = words.next().and_then(|n| n.parse::<u64>().ok()) else { continue };
        let bytes = if words.next() == Some("kB") { number.saturating_mul(1024) } else { number };
        match key {
            "MemTotal" => info.total = bytes,
            "MemAvailable" => available = Some(bytes),
            "MemFree" | "Buffers" | "Cached" => reclaimable = reclaimable.saturating_add(bytes),
            "SwapTotal" => info.swap_total = bytes,
            "SwapFree" => info.swap_free = bytes,
            _ => {}
        }
    }
    info.available = available.unwrap_or(reclaimable).min(info.total);
    info
}

#[cfg(target_os = "linux")]
pub(super) fn collect(root: &Root) -> Result<Memory, CollectError> {
    let info = parse_meminfo(&root.text("proc/meminfo").map_err(CollectError::Read)?);
    Ok(Memory { total_bytes: info.total, swap_total_bytes: info.swap_total })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn collect(_root: &Root) -> Result<Memory, CollectError> {
    Err(CollectError::NotSupported)
}
