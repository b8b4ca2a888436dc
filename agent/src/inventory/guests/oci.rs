//! Docker and Podman, by their sockets, which speak the same language; Podman by its command where it has no socket.

use serde::Deserialize;

use super::{Found, Guest, Platform};
use crate::inventory::{source::Root, unix_http};

/// A container as both list them: Podman's command spells some members in other ways.
#[derive(Deserialize)]
struct Container {
    #[serde(alias = "Id", alias = "ID", alias = "id")]
    id: String,
    #[serde(alias = "Names", default)]
    names: Vec<String>,
    #[serde(alias = "Image", default)]
    image: String,
    #[serde(alias = "State", default)]
    state: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Version")]
    version: String,
}

/// Both platforms, as far as they are here.
pub fn collect(root: &Root) -> Vec<Found> {
    let docker = by_socket(root, "docker", "run/docker.sock");
    let podman = by_socket(root, "podman", "run/podman/podman.sock").or_else(|| podman_command(root));
    docker.into_iter().chain(podman).collect()
}

fn by_socket(root: &Root, name: &str, socket: &str) -> Option<Found> {
    let socket = root.path(socket);
    if !socket.exists() {
        return None;
    }
    let list = unix_http::get(&socket, "/containers/json?all=true");
    let version = unix_http::get(&socket, "/version").ok();
    let version = version.and_then(|body| serde_json::from_slice::<Version>(&body).ok());
    let (guests, error) = match list {
        Ok(body) => (parse(name, &body), None),
        Err(error) => (Some(Vec::new()), Some(error.to_string())),
    };
    let platform = Platform {
        name: name.into(),
        version: version.map(|answer| answer.version).unwrap_or_default(),
        running: error.is_none(),
        error: error.or_else(|| guests.is_none().then(|| "its list is not understood".into())),
    };
    Some((platform, guests.unwrap_or_default()))
}

fn podman_command(root: &Root) -> Option<Found> {
    ["usr/bin/podman", "usr/local/bin/podman"].iter().find(|path| root.path(path).exists())?;
    let list = root.run("podman", &["ps", "--all", "--format", "json"]);
    let guests = list.as_deref().and_then(|text| parse("podman", text.as_bytes()));
    let error = guests.is_none().then(|| "podman ps does not answer".into());
    let version = root.run("podman", &["--version"]).unwrap_or_default();
    let version = version.split_whitespace().last().unwrap_or_default().to_owned();
    let platform = Platform { name: "podman".into(), version, running: error.is_none(), error };
    Some((platform, guests.unwrap_or_default()))
}

/// Parse the list of containers; `None` when it is none.
pub fn parse(platform: &str, json: &[u8]) -> Option<Vec<Guest>> {
    let list: Vec<Container> = serde_json::from_slice(json).ok()?;
    let guest = |container: Container| {
        let id: String = container.id.chars().take(12).collect();
        let name = container.names.first().map_or("", |name| name.trim_start_matches('/'));
        Guest { image: container.image, ..Guest::new(platform, "container", &id, name, &container.state) }
    };
    Some(list.into_iter().map(guest).collect())
}
