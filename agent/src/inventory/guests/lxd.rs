//! LXD and Incus, by their sockets.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Found, Guest, Platform};
use crate::inventory::{source::Root, unix_http};

/// Platform, socket, and the database it makes when it is first used: without it asking would only start the daemon.
const PLACES: [(&str, &str, &str); 3] = [
    ("lxd", "var/snap/lxd/common/lxd/unix.socket", "var/snap/lxd/common/lxd/database"),
    ("lxd", "var/lib/lxd/unix.socket", "var/lib/lxd/database"),
    ("incus", "var/lib/incus/unix.socket", "var/lib/incus/database"),
];

#[derive(Deserialize)]
struct Answer<T> {
    metadata: T,
}

#[derive(Deserialize)]
struct Server {
    #[serde(default)]
    environment: Environment,
}

#[derive(Default, Deserialize)]
struct Environment {
    #[serde(default)]
    server_version: String,
}

#[derive(Deserialize)]
struct Instance {
    name: String,
    #[serde(default)]
    project: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    status: String,
    #[serde(default, alias = "expanded_config")]
    config: BTreeMap<String, String>,
}

/// Those that are here.
pub fn collect(root: &Root) -> Vec<Found> {
    PLACES.iter().filter_map(|(name, socket, database)| one(root, name, socket, database)).collect()
}

fn one(root: &Root, name: &str, socket: &str, database: &str) -> Option<Found> {
    let socket = root.path(socket);
    if !socket.exists() || !root.path(database).exists() {
        return None;
    }
    let server = unix_http::get(&socket, "/1.0").ok();
    let server = server.and_then(|body| serde_json::from_slice::<Answer<Server>>(&body).ok());
    let listed = unix_http::get(&socket, "/1.0/instances?recursion=1&all-projects=true");
    let (guests, error) = match listed.map(|body| parse(name, &body)) {
        Ok(Some(guests)) => (guests, None),
        Ok(None) => (Vec::new(), Some("its list is not understood".into())),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let version = server.map(|answer| answer.metadata.environment.server_version).unwrap_or_default();
    Some((Platform { name: name.into(), version, running: error.is_none(), error }, guests))
}

/// Parse the answer of `/1.0/instances?recursion=1`.
pub fn parse(platform: &str, json: &[u8]) -> Option<Vec<Guest>> {
    let answer: Answer<Vec<Instance>> = serde_json::from_slice(json).ok()?;
    let guest = |instance: Instance| {
        let setting = |key: &str| instance.config.get(key).cloned();
        let kind = if instance.kind == "virtual-machine" { "vm" } else { "container" };
        let id = match instance.project.as_str() {
            "" | "default" => instance.name.clone(),
            project => format!("{project}/{}", instance.name),
        };
        Guest {
            image: setting("image.description").unwrap_or_default(),
            cpus: setting("limits.cpu").and_then(|text| text.parse().ok()),
            memory_bytes: setting("limits.memory").and_then(|text| size(&text)),
            at_boot: setting("boot.autostart").map(|text| text == "true"),
            ..Guest::new(platform, kind, &id, &instance.name, &instance.status)
        }
    };
    Some(answer.metadata.into_iter().map(guest).collect())
}

/// `2GiB`, `512MB`, `1024`; a share such as `50%` is no size.
pub fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "B" => 1,
        "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}
