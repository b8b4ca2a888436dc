//! Machines that systemd knows of: nspawn containers and whatever else registers there.

use super::{Found, Guest, Platform};
use crate::inventory::{os::parse_os_release, source::Root};

/// Registered machines, where there are any; libvirt's are listed by libvirt.
pub fn collect(root: &Root) -> Option<Found> {
    let mut guests = Vec::new();
    for name in root.names("run/systemd/machines").into_iter().filter(|name| !name.starts_with("unit:")) {
        let text = root.text(&format!("run/systemd/machines/{name}")).unwrap_or_default();
        guests.extend(parse(&text));
    }
    if guests.is_empty() {
        return None;
    }
    Some((Platform { name: "machined".into(), running: true, ..Platform::default() }, guests))
}

/// Parse a machine's file, which is written like `os-release`.
pub fn parse(text: &str) -> Option<Guest> {
    let fields = parse_os_release(text);
    let name = fields.get("NAME")?;
    if fields.get("SERVICE").is_some_and(|service| service.starts_with("libvirt")) {
        return None;
    }
    let kind = if fields.get("CLASS").is_some_and(|class| class == "vm") { "vm" } else { "container" };
    Some(Guest::new("machined", kind, name, name, "running"))
}
