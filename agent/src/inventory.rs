//! What the machine is: sections, each collected, encoded and digested on its own.
//!
//! Only digests stay in memory; a section's body is collected again when the host asks for it.

pub mod antivirus;
pub mod certificates;
pub mod commands;
pub mod cpu;
pub mod disks;
pub mod firewall;
pub mod guests;
pub mod hardware;
pub mod memory;
pub mod network;
pub mod os;
pub mod packages;
pub mod processes;
pub mod reboot;
pub mod roles;
pub mod services;
pub mod sockets;
pub mod source;
pub mod systems;
pub mod ubuntu_pro;
pub mod unix_http;
pub mod updates;
pub mod users;
pub mod version;
pub mod virtualization;

use serde::Serialize;

use source::Root;

/// SHA-256 of a section's body.
pub type Digest = [u8; 32];

/// The base inventory's sections, in the order they are collected and sent.
pub const SECTIONS: [&str; 18] = [
    "os",
    "hardware",
    "cpu",
    "memory",
    "disks",
    "network",
    "packages",
    "updates",
    "reboot",
    "services",
    "users",
    "certificates",
    "sockets",
    "firewall",
    "antivirus",
    "ubuntu_pro",
    "guests",
    "roles",
];

/// Why a section could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// This system's collector is not written yet, or the system has no such thing.
    #[error("not supported on this system yet")]
    NotSupported,
    /// The system refused.
    #[error("cannot be read: {0}")]
    Read(#[source] std::io::Error),
}

/// A section ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// One of [`SECTIONS`].
    pub name: &'static str,
    /// Canonical JSON: fields in the order of their declaration, lists sorted, no white space.
    pub body: Vec<u8>,
    /// SHA-256 of `body`.
    pub digest: Digest,
}

/// Left out of a section's JSON: what is missing reads as the default.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a section says that could not be collected.
#[derive(Serialize)]
struct Missing {
    unavailable: String,
}

/// Collect one section; `None` when there is none of that name.
pub fn collect(root: &Root, name: &str) -> Option<Section> {
    let name = SECTIONS.into_iter().find(|known| *known == name)?;
    let body = body(root, name);
    Some(Section { name, digest: digest(&body), body })
}

fn body(root: &Root, name: &'static str) -> Vec<u8> {
    if let Some(body) = systems::body(root, name) {
        return body;
    }
    match name {
        "os" => encode(os::collect(root)),
        "hardware" => encode(hardware::collect(root)),
        "cpu" => encode(cpu::collect(root)),
        "memory" => encode(memory::collect(root)),
        "disks" => encode(disks::collect(root)),
        "network" => encode(network::collect(root)),
        "packages" => packages_within(packages::collect(root)),
        "updates" => encode(updates::collect(root)),
        "roles" => encode(roles::collect(root)),
        "reboot" => encode(reboot::collect(root)),
        "services" => encode(services::collect(root)),
        "certificates" => encode(certificates::collect(root)),
        "firewall" => encode(firewall::collect(root)),
        "guests" => encode(guests::collect(root)),
        "users" => encode(users::collect(root)),
        "sockets" => encode(sockets::collect(root)),
        "antivirus" => encode(antivirus::collect(root)),
        _ => encode(ubuntu_pro::collect(root)),
    }
}

/// A list too long for one frame is cut, and says so.
fn packages_within(mut section: Result<packages::Packages, CollectError>) -> Vec<u8> {
    loop {
        let body = encode(section.as_ref());
        match &mut section {
            Ok(found) if body.len() > agent_protocol::limits::MAX_SECTION_BYTES => {
                found.packages.truncate(found.packages.len() / 4 * 3);
                found.truncated = true;
            }
            _ => return body,
        }
    }
}

fn encode<T: Serialize, E: std::borrow::Borrow<CollectError>>(section: Result<T, E>) -> Vec<u8> {
    let encoded = match section {
        Ok(section) => serde_json::to_vec(&section),
        Err(error) => {
            let error = error.borrow();
            if !matches!(error, CollectError::NotSupported) {
                tracing::warn!(%error, "an inventory section could not be collected");
            }
            return missing(&error.to_string());
        }
    };
    encoded.expect("plain structs with string keys always encode as JSON")
}

fn missing(why: &str) -> Vec<u8> {
    let missing = serde_json::to_vec(&Missing { unavailable: why.to_owned() });
    missing.expect("a struct of one string always encodes as JSON")
}

/// Collect one section as its type; empty when it cannot be read.
pub fn read<T: serde::de::DeserializeOwned + Default>(root: &Root, name: &str) -> T {
    collect(root, name).and_then(|section| serde_json::from_slice(&section.body).ok()).unwrap_or_default()
}

/// SHA-256.
pub fn digest(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    out
}

/// SHA-256 as lower-case hexadecimal.
pub fn hex_digest(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&digest(bytes))
}
