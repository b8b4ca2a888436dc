//! OpenBSD: pkg_info, syspatch, rcctl, pf, vmctl.

use super::{bytes, unix};
use crate::inventory::{
    guests::{Guest, Guests, Platform},
    packages::{Package, Packages, title},
    services::{Service, Services, State},
    source::Root,
    updates::{Manager, Update, Updates},
};

/// A section's body; `None` when it cannot be told.
pub fn body(root: &Root, name: &str) -> Option<Vec<u8>> {
    match name {
        "os" => bytes(unix::os(root)),
        "cpu" => bytes(unix::cpu(root)),
        "memory" => bytes(unix::memory(root, "hw.physmem")),
        "disks" => bytes(unix::disks(root)),
        "network" => bytes(unix::network(root)),
        "packages" => bytes(packages(root)),
        "updates" => bytes(updates(root)),
        "services" => bytes(services(root)),
        "firewall" => bytes(unix::firewall([unix::pf(root)])),
        "guests" => bytes(guests(root)),
        _ => None,
    }
}

fn packages(root: &Root) -> Option<Packages> {
    Some(Packages::of(vec![("pkg_add", parse_packages(&root.run("pkg_info", &[])?))]))
}

/// Parse `pkg_info`: `vim-9.0.2035-no_x11  vi clone, many additional features`.
pub fn parse_packages(text: &str) -> Vec<Package> {
    text.lines()
        .filter_map(|line| {
            let (full, comment) = line.split_once(char::is_whitespace)?;
            // The version begins at the first hyphen before a digit; flavours follow it.
            let bytes = full.as_bytes();
            let at = bytes.windows(2).position(|pair| pair[0] == b'-' && pair[1].is_ascii_digit())?;
            let (name, version) = (full.get(..at)?, full.get(at + 1..)?);
            let package = Package {
                name: name.into(),
                version: version.into(),
                title: title(comment),
                ..Package::default()
            };
            (!name.is_empty()).then(|| package.completed("pkg_add"))
        })
        .collect()
}

fn updates(root: &Root) -> Option<Updates> {
    let manager = Manager { name: "syspatch".into(), ..Manager::default() };
    Some(Updates::of(vec![(manager, parse_syspatch(&root.run("syspatch", &["-c"])?))]))
}

/// Parse `syspatch -c`: a patch per line, `001_xserver`. It does not tell which of them close holes.
pub fn parse_syspatch(text: &str) -> Vec<Update> {
    let patch = |line: &str| {
        let (number, _) = line.trim().split_once('_')?;
        let known = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        known.then(|| Update::new("syspatch", line.trim(), "", "", number))
    };
    text.lines().filter_map(patch).collect()
}

fn services(root: &Root) -> Option<Services> {
    let ask = |what: &str| root.run_any("rcctl", &["ls", what]).map(|output| output.text);
    let all = ask("all")?;
    let (on, started) = (ask("on").unwrap_or_default(), ask("started").unwrap_or_default());
    Some(Services::of("rc", parse_services(&all, &on, &started)))
}

/// Parse `rcctl ls all`, `rcctl ls on` and `rcctl ls started`.
pub fn parse_services(all: &str, on: &str, started: &str) -> Vec<Service> {
    let among = |list: &str, name: &str| list.lines().any(|line| line.trim() == name);
    let service = |name: &str| {
        let state = if among(started, name) { State::Running } else { State::Stopped };
        Service::new(name, "", Some(state), if among(on, name) { "enabled" } else { "disabled" })
    };
    all.lines().map(str::trim).filter(|name| !name.is_empty()).map(service).collect()
}

fn guests(root: &Root) -> Option<Guests> {
    let text = root.run("vmctl", &["status"])?;
    let platform = Platform { name: "vmm".into(), running: true, ..Platform::default() };
    Some(Guests::of(vec![(platform, parse_guests(&text))]))
}

/// Parse `vmctl status`: id, pid, processors, memory, memory in use, terminal, owner, state, name.
pub fn parse_guests(text: &str) -> Vec<Guest> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [id, _, cpus, memory, _, _, _, state, name] = words[..] else { return None };
            Some(Guest {
                key: format!("vmm/{id}"),
                platform: "vmm".into(),
                kind: "vm".into(),
                name: name.into(),
                id: id.into(),
                state: state.into(),
                cpus: cpus.parse().ok(),
                memory_bytes: size(memory),
                ..Guest::default()
            })
        })
        .collect()
}

/// `1.0G`, in powers of two.
fn size(text: &str) -> Option<u64> {
    let number: f64 = text.get(..text.len().checked_sub(1)?)?.parse().ok()?;
    let shift = match text.as_bytes().last()? {
        b'K' => 10,
        b'M' => 20,
        b'G' => 30,
        b'T' => 40,
        _ => return None,
    };
    Some((number * 2_f64.powi(shift)) as u64)
}
