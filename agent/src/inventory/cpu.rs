//! Processors, from `/proc/cpuinfo`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CollectError, source::Root};

/// The machine's processors. Clock rates are left out: they change with every look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cpu {
    /// Model for people, e.g. `AMD EPYC`; the architecture's name where the kernel names none.
    pub model: String,
    /// Vendor as the kernel has it.
    pub vendor: String,
    /// Packages.
    pub sockets: u32,
    /// Cores.
    pub cores: u32,
    /// What the scheduler sees, with hyper-threads.
    pub threads: u32,
    /// Whether a hypervisor runs this machine.
    pub virtualised: bool,
    /// Known weaknesses the kernel lists, e.g. `spectre_v2`.
    pub bugs: Vec<String>,
}

/// Parse `/proc/cpuinfo` of any architecture.
pub fn parse_cpuinfo(text: &str) -> Cpu {
    let mut cpu = Cpu::default();
    let mut sockets = BTreeSet::new();
    let mut cores = BTreeSet::new();
    let mut socket = String::from("0");
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key.trim() {
            "processor" if value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() => {
                cpu.threads = cpu.threads.saturating_add(1);
            }
            "model name" | "cpu model" | "cpu" | "uarch" => set_once(&mut cpu.model, value),
            "vendor_id" | "CPU implementer" | "machine" => set_once(&mut cpu.vendor, value),
            "physical id" => {
                socket = value.to_owned();
                sockets.insert(socket.clone());
            }
            "core id" => {
                cores.insert((socket.clone(), value.to_owned()));
            }
            "flags" => cpu.virtualised |= value.split_whitespace().any(|flag| flag == "hypervisor"),
            "bugs" if cpu.bugs.is_empty() => {
                cpu.bugs = value.split_whitespace().map(str::to_owned).collect();
            }
            _ => {}
        }
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    cpu.sockets = count(sockets.len()).max(u32::from(cpu.threads > 0));
    cpu.cores = if cores.is_empty() { cpu.threads } else { count(cores.len()) };
    cpu
}

fn set_once(field: &mut String, value: &str) {
    if field.is_empty() {
        value.clone_into(field);
    }
}

#[cfg(target_os = "linux")]
pub(super) fn collect(root: &Root) -> Result<Cpu, CollectError> {
    let mut cpu = parse_cpuinfo(&root.text("proc/cpuinfo").map_err(CollectError::Read)?);
    if cpu.model.is_empty() {
        cpu.model = std::env::consts::ARCH.into();
    }
    Ok(cpu)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn collect(_root: &Root) -> Result<Cpu, CollectError> {
    Err(CollectError::NotSupported)
}
