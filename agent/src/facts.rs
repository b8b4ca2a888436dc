//! What this machine is, in short, for enrolment and the hello.

use agent_protocol::{limits, session::MachineFacts};

use crate::inventory::{
    cpu::Cpu, hardware::Hardware, memory::Memory, network::Network, os::Os, source::Root,
};

/// The target triple this program was built for: which engine libraries it can load.
pub const TARGET: &str = plugin_runtime::TARGET;
/// Version of the agent.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Collect the facts. What cannot be read is empty.
pub fn collect(root: &Root) -> MachineFacts {
    let os: Os = crate::inventory::read(root, "os");
    let cpu: Cpu = crate::inventory::read(root, "cpu");
    let memory: Memory = crate::inventory::read(root, "memory");
    let network: Network = crate::inventory::read(root, "network");
    let hardware: Hardware = crate::inventory::read(root, "hardware");
    MachineFacts {
        hardware: identities(&hardware, &os, &network),
        hostname: short(os.hostname),
        os_family: short(os.family),
        os_id: short(os.id),
        os_name: short(os.pretty_name),
        os_version: short(os.version_id),
        kernel: short(os.kernel),
        arch: short(os.arch),
        target: TARGET.into(),
        cpus: cpu.threads,
        memory_bytes: memory.total_bytes,
        boot_id: short(os.boot_id),
        addresses: addresses(&network),
    }
}

/// What tells this machine from others when its name does not, and where its name was taken over.
fn identities(hardware: &Hardware, os: &Os, network: &Network) -> Vec<String> {
    let serial = [("serial", &hardware.serial), ("machine-id", &os.machine_id_hash)];
    let macs =
        network.interfaces.iter().filter(|i| !i.loopback && !i.is_virtual).filter_map(|i| i.mac.as_ref());
    serial
        .into_iter()
        .chain(macs.map(|mac| ("mac", mac)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(kind, value)| short(format!("{kind}:{value}")))
        .take(32)
        .collect()
}

fn addresses(network: &Network) -> Vec<String> {
    network
        .interfaces
        .iter()
        .filter(|interface| !interface.loopback)
        .flat_map(|interface| &interface.addresses)
        .map(|address| address.split('/').next().unwrap_or(address).to_owned())
        .filter(|address| !address.starts_with("fe80:") && !address.starts_with("169.254."))
        .take(64)
        .collect()
}

fn short(mut text: String) -> String {
    let mut end = text.len().min(limits::MAX_NAME_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
