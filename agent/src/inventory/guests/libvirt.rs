//! libvirt's machines, from the XML files it keeps: definitions in `/etc`, states of running ones in `/run`.

use super::{Found, Guest, Platform};
use crate::inventory::source::Root;

/// libvirt, where it is installed.
pub fn collect(root: &Root) -> Option<Found> {
    let drivers = [("qemu", "vm"), ("lxc", "container"), ("libxl", "vm")];
    if !root.path("etc/libvirt").exists() {
        return None;
    }
    let sockets = ["libvirt-sock", "virtqemud-sock", "virtlxcd-sock", "virtxend-sock"];
    let running = sockets.iter().any(|socket| root.path(&format!("run/libvirt/{socket}")).exists());
    let mut guests = Vec::new();
    for (driver, kind) in drivers {
        let folders = [format!("etc/libvirt/{driver}"), format!("run/libvirt/{driver}")];
        for folder in &folders {
            for file in root.names(folder).into_iter().filter(|name| name.ends_with(".xml")) {
                let definition = root.text(&format!("{folder}/{file}")).unwrap_or_default();
                let state = root.text(&format!("run/libvirt/{driver}/{file}")).unwrap_or_default();
                let at_boot = root.path(&format!("etc/libvirt/{driver}/autostart/{file}")).is_symlink();
                let guest = parse(kind, &definition, &state);
                guests.extend(guest.map(|guest| Guest { at_boot: Some(at_boot), ..guest }));
            }
        }
    }
    Some((Platform { name: "libvirt".into(), running, ..Platform::default() }, guests))
}

/// A machine by its definition and, while it runs, libvirt's status of it.
pub fn parse(kind: &str, definition: &str, status: &str) -> Option<Guest> {
    let name = element(definition, "name")?.1;
    let uuid = element(definition, "uuid").map_or(name, |(_, text)| text);
    let state = element_start(status, "domstatus").and_then(|tag| attribute(tag, "state"));
    let memory = element(definition, "memory").and_then(|(tag, text)| {
        let number: u64 = text.parse().ok()?;
        let factor = match attribute(tag, "unit").unwrap_or("KiB") {
            "b" | "bytes" => 1,
            "M" | "MiB" => 1 << 20,
            "G" | "GiB" => 1 << 30,
            _ => 1 << 10,
        };
        number.checked_mul(factor)
    });
    Some(Guest {
        cpus: element(definition, "vcpu").and_then(|(_, text)| text.parse().ok()),
        memory_bytes: memory,
        ..Guest::new("libvirt", kind, &unescape(uuid), &unescape(name), state.unwrap_or("stopped"))
    })
}

/// The first element of this name: its start tag and the text in it.
fn element<'a>(xml: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let tag = element_start(xml, name)?;
    let after = &xml[tag.as_ptr() as usize - xml.as_ptr() as usize + tag.len()..];
    let end = after.find('<')?;
    Some((tag, after[..end].trim()))
}

/// The first start tag of this name, from `<` to `>`.
fn element_start<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    loop {
        let at = from + xml[from..].find(&format!("<{name}"))?;
        let tag = &xml[at..at + xml[at..].find('>')? + 1];
        if tag[name.len() + 1..].starts_with([' ', '>', '\n', '\t', '/']) {
            return Some(tag);
        }
        from = at + 1;
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let rest = &tag[tag.find(&format!(" {name}="))? + name.len() + 2..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
