//! Live figures for heartbeats: counters as the kernel has them, and the processor's use between two looks.

pub mod figures;
pub mod journal;
pub mod recorder;

use std::collections::BTreeMap;

use agent_protocol::metrics::{DiskMetrics, Metrics, NetMetrics};

use crate::{
    clock,
    inventory::{
        disks::{Mount, Usage, local_mounts},
        memory::parse_meminfo,
        source::Root,
    },
};

/// Filesystems and interfaces beyond this many are left out of a heartbeat.
const MAX_ENTRIES: usize = 64;

/// Takes looks, and remembers the processor's ticks of the last.
#[derive(Debug, Default)]
pub struct Sampler {
    root: Root,
    last: Option<(u64, u64)>,
}

impl Sampler {
    /// A sampler of the tree at `root`.
    pub fn new(root: Root) -> Self {
        Self { root, last: None }
    }

    /// Look at the machine. What cannot be read is zero or left out; the first look knows no processor use.
    pub fn sample(&mut self) -> Metrics {
        let text = |path: &str| self.root.text(path).unwrap_or_default();
        let memory = parse_meminfo(&text("proc/meminfo"));
        let (one, five, fifteen) = parse_loadavg(&text("proc/loadavg"));
        let ticks = parse_cpu_times(&text("proc/stat"));
        let metrics = Metrics {
            at: clock::now_ms(),
            uptime_s: parse_uptime(&text("proc/uptime")),
            cpu_percent: self.last.map_or(0.0, |last| busy_percent(last, ticks)),
            load: (one, five, fifteen),
            memory_total: memory.total,
            memory_available: memory.available,
            swap_total: memory.swap_total,
            swap_used: memory.swap_total.saturating_sub(memory.swap_free),
            disks: disks(&text("proc/self/mounts"), &parse_diskstats(&text("proc/diskstats"))),
            nets: parse_net_dev(&text("proc/net/dev")),
        };
        self.last = Some(ticks);
        metrics
    }
}

fn disks(mounts: &str, counters: &BTreeMap<String, (u64, u64)>) -> Vec<DiskMetrics> {
    let mut seen: Vec<Mount> = local_mounts(mounts);
    // The same device mounted twice is as full at both places.
    seen.dedup_by(|later, first| later.source == first.source && later.kind == first.kind);
    seen.into_iter()
        .filter_map(|mount| {
            let usage = Usage::of(&mount.mount_point).filter(|usage| usage.total > 0)?;
            let device = mount.source.rsplit('/').next().unwrap_or("");
            let (read_bytes, written_bytes) = counters.get(device).copied().unwrap_or_default();
            Some(DiskMetrics {
                mount: mount.mount_point,
                total: usage.total,
                used: usage.used,
                read_bytes,
                written_bytes,
            })
        })
        .take(MAX_ENTRIES)
        .collect()
}

/// Share of busy ticks between two looks, 0 to 100.
pub fn busy_percent(before: (u64, u64), after: (u64, u64)) -> f32 {
    let busy = after.0.saturating_sub(before.0);
    let total = after.1.saturating_sub(before.1);
    if total == 0 { 0.0 } else { (busy as f64 / total as f64 * 100.0).clamp(0.0, 100.0) as f32 }
}

/// Busy and total ticks of the `cpu` line of `/proc/stat`. Guests are within user time already.
pub fn parse_cpu_times(text: &str) -> (u64, u64) {
    let Some(line) = text.lines().find_map(|line| line.strip_prefix("cpu ")) else { return (0, 0) };
    let ticks: Vec<u64> = line.split_ascii_whitespace().take(8).map(|n| n.parse().unwrap_or(0)).collect();
    let sum = |ticks: &[u64]| ticks.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
    let total = sum(&ticks);
    // Fourth and fifth are idle and waiting for disks.
    let idle = sum(ticks.get(3..ticks.len().min(5)).unwrap_or_default());
    (total.saturating_sub(idle), total)
}

/// The three averages of `/proc/loadavg`.
pub fn parse_loadavg(text: &str) -> (f32, f32, f32) {
    let mut words = text.split_ascii_whitespace().map(|word| {
        let load: f32 = word.parse().unwrap_or(0.0);
        if load.is_finite() && load >= 0.0 { load } else { 0.0 }
    });
    let mut next = || words.next().unwrap_or(0.0);
    (next(), next(), next())
}

/// Whole seconds of `/proc/uptime`.
pub fn parse_uptime(text: &str) -> u64 {
    let word = text.split_ascii_whitespace().next().unwrap_or("");
    word.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}

/// Bytes received and sent by each interface of `/proc/net/dev` but the loopback and those that never moved one.
pub fn parse_net_dev(text: &str) -> Vec<NetMetrics> {
    text.lines()
        .filter_map(|line| {
            let (name, counters) = line.rsplit_once(':')?;
            let mut words = counters.split_ascii_whitespace().map(|n| n.parse::<u64>().unwrap_or(0));
            let received_bytes = words.next()?;
            let sent_bytes = words.nth(7)?;
            let name = name.trim();
            let counts = name != "lo" && !name.is_empty() && (received_bytes > 0 || sent_bytes > 0);
            counts.then(|| NetMetrics { name: name.chars().take(64).collect(), received_bytes, sent_bytes })
        })
        .take(MAX_ENTRIES)
        .collect()
}

/// Bytes read and written by each device and partition of `/proc/diskstats`.
pub fn parse_diskstats(text: &str) -> BTreeMap<String, (u64, u64)> {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
            let [_, _, name, _, _, read, _, _, _, written] = words[..] else { return None };
            // The kernel counts in sectors of 512 bytes here, whatever the device's own.
            let bytes = |sectors: &str| sectors.parse::<u64>().unwrap_or(0).saturating_mul(512);
            Some((name.to_owned(), (bytes(read), bytes(written))))
        })
        .collect()
}
