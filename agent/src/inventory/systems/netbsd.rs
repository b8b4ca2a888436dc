//! NetBSD: pkgsrc, rc, sockstat, npf.

use super::{bytes, freebsd, unix};
use crate::inventory::{
    firewall::Filter,
    packages::{Package, Packages, title},
    services::Services,
    source::Root,
};

/// A section's body; `None` when it cannot be told.
pub fn body(root: &Root, name: &str) -> Option<Vec<u8>> {
    match name {
        "os" => bytes(unix::os(root)),
        "cpu" => bytes(unix::cpu(root)),
        "memory" => bytes(unix::memory(root, "hw.physmem64")),
        "disks" => bytes(unix::disks(root)),
        "network" => bytes(unix::network(root)),
        "packages" => bytes(packages(root)),
        "services" => bytes(services(root)),
        "sockets" => bytes(unix::sockets(root)),
        "firewall" => bytes(unix::firewall([npf(root)])),
        _ => None,
    }
}

fn packages(root: &Root) -> Option<Packages> {
    Some(Packages::of(vec![("pkgin", parse_packages(&root.run("pkg_info", &[])?))]))
}

/// Parse `pkg_info`: `curl-8.4.0nb1  Client that groks URLs`; versions hold no hyphen.
pub fn parse_packages(text: &str) -> Vec<Package> {
    text.lines()
        .filter_map(|line| {
            let (full, comment) = line.split_once(char::is_whitespace)?;
            let (name, version) = full.rsplit_once('-')?;
            let package = Package {
                name: name.into(),
                version: version.into(),
                title: title(comment),
                ..Package::default()
            };
            Some(package.completed("pkgin"))
        })
        .collect()
}

fn services(root: &Root) -> Option<Services> {
    let all = root.run("service", &["-l"])?;
    let enabled = root.run("service", &["-e"]).unwrap_or_default();
    Some(Services::of("rc", freebsd::parse_services(&all, &enabled)))
}

fn npf(root: &Root) -> Option<Filter> {
    Some(parse_npf(&root.run("npfctl", &["show"])?))
}

/// Parse `npfctl show`: `# filtering:    active`.
pub fn parse_npf(text: &str) -> Filter {
    let filtering =
        text.lines().find_map(|line| line.trim_start_matches('#').trim().strip_prefix("filtering:"));
    Filter {
        name: "npf".into(),
        enabled: filtering.is_some_and(|state| state.trim() == "active"),
        ..Filter::default()
    }
}
