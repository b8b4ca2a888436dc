//! Heartbeats and the live metrics they carry. Field names are short: these frames make up an idle day.

use serde::{Deserialize, Serialize};

use crate::{
    UnixMs,
    frame::{Check, at_most},
    limits,
};

/// The agent lives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heartbeat {
    /// Counts up within a session.
    #[serde(rename = "n")]
    pub seq: u64,
    /// Tasks that run now.
    #[serde(rename = "r", skip_serializing_if = "is_zero")]
    pub running_tasks: u32,
    /// Live metrics.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Live metrics. Sizes in bytes; rates are for the host to compute from counters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// When they were read.
    #[serde(rename = "t")]
    pub at: UnixMs,
    /// Seconds since boot.
    #[serde(rename = "u")]
    pub uptime_s: u64,
    /// Processor use since the last heartbeat, all processors together, 0 to 100.
    #[serde(rename = "c")]
    pub cpu_percent: f32,
    /// Load averages over 1, 5 and 15 minutes.
    #[serde(rename = "l")]
    pub load: (f32, f32, f32),
    /// Memory.
    #[serde(rename = "mt")]
    pub memory_total: u64,
    /// Memory that programs could still get.
    #[serde(rename = "ma")]
    pub memory_available: u64,
    /// Swap.
    #[serde(rename = "st")]
    pub swap_total: u64,
    /// Swap in use.
    #[serde(rename = "su")]
    pub swap_used: u64,
    /// File systems on devices, at most a few hundred.
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<DiskMetrics>,
    /// Network interfaces without loopback.
    #[serde(rename = "i", skip_serializing_if = "Vec::is_empty")]
    pub nets: Vec<NetMetrics>,
}

/// One mounted file system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DiskMetrics {
    /// Mount point.
    #[serde(rename = "p")]
    pub mount: String,
    /// Size.
    #[serde(rename = "t")]
    pub total: u64,
    /// Used.
    #[serde(rename = "u")]
    pub used: u64,
    /// Bytes read since boot.
    #[serde(rename = "r")]
    pub read_bytes: u64,
    /// Bytes written since boot.
    #[serde(rename = "w")]
    pub written_bytes: u64,
}

/// One network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetMetrics {
    /// Interface.
    #[serde(rename = "i")]
    pub name: String,
    /// Bytes received since boot.
    #[serde(rename = "r")]
    pub received_bytes: u64,
    /// Bytes sent since boot.
    #[serde(rename = "s")]
    pub sent_bytes: u64,
}

impl Check for Heartbeat {
    fn check(&self) -> Result<(), &'static str> {
        let Some(metrics) = &self.metrics else { return Ok(()) };
        at_most(metrics.disks.len(), 1024, "disks")?;
        at_most(metrics.nets.len(), 1024, "nets")?;
        metrics.disks.iter().try_for_each(|d| at_most(d.mount.len(), limits::MAX_MESSAGE_BYTES, "disks"))?;
        metrics.nets.iter().try_for_each(|n| at_most(n.name.len(), limits::MAX_NAME_BYTES, "nets"))
    }
}

/// Send heartbeats more often for a while: somebody watches this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Between heartbeats, in milliseconds, at least 1000.
    pub interval_ms: u32,
    /// For how long, in milliseconds; then the policy's interval holds again.
    pub for_ms: u32,
}

impl Check for Watch {
    fn check(&self) -> Result<(), &'static str> {
        if self.interval_ms < 1000 { Err("interval_ms") } else { Ok(()) }
    }
}

/// Figures of some minutes, by name: what history is made of. Kept by the agent until the host acknowledges them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Samples {
    /// When the first was read, by the machine's clock.
    #[serde(rename = "t")]
    pub first: UnixMs,
    /// Seconds from the first to each, the first included.
    #[serde(rename = "o")]
    pub offsets_s: Vec<u32>,
    /// A series for each figure.
    #[serde(rename = "s")]
    pub series: Vec<Series>,
}

/// One figure at each of the instants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Series {
    /// Its name: `cpu.percent`, `disk.used_percent{/home}`.
    #[serde(rename = "n")]
    pub name: String,
    /// A step of `steps`: the first step is from zero, each later one from the value before.
    #[serde(rename = "q")]
    pub quantum: f32,
    /// Steps; none where the figure was not known.
    #[serde(rename = "v")]
    pub steps: Vec<Option<i64>>,
}

impl Series {
    /// Pack `values` in multiples of `quantum`, which is above zero.
    pub fn pack(name: String, quantum: f32, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let mut before = 0_i64;
        let mut step = |value: f64| {
            let now = (value / f64::from(quantum)).round() as i64;
            let step = now.saturating_sub(before);
            before = now;
            step
        };
        let steps = values.into_iter().map(|v| v.filter(|v| v.is_finite()).map(&mut step)).collect();
        Self { name, quantum, steps }
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        let mut before = 0_i64;
        self.steps.iter().map(move |step| {
            step.map(|step| {
                before = before.saturating_add(step);
                before as f64 * f64::from(self.quantum)
            })
        })
    }
}

impl Check for Samples {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.offsets_s.len(), limits::MAX_SAMPLES, "samples")?;
        at_most(self.series.len(), limits::MAX_SERIES, "series")?;
        for series in &self.series {
            crate::frame::name(&series.name, "series.name")?;
            at_most(series.steps.len(), self.offsets_s.len(), "series.steps")?;
            if !series.quantum.is_finite() || series.quantum <= 0.0 {
                return Err("series.quantum");
            }
        }
        Ok(())
    }
}

/// The host has stored every sample up to an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamplesAck {
    /// The instant, as the machine's clock told it.
    #[serde(rename = "t")]
    pub until: UnixMs,
}

impl Check for SamplesAck {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}
