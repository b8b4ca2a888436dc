//! firewalld, from its own files; whether it runs, from its process.

use super::{Filter, at_boot};
use crate::inventory::{processes, source::Root};

/// firewalld, where it is installed.
pub fn collect(root: &Root) -> Option<Filter> {
    let main = root
        .text("etc/firewalld/firewalld.conf")
        .or_else(|_| root.text("usr/lib/firewalld/firewalld.conf"))
        .ok()?;
    let zone = main
        .lines()
        .find_map(|line| line.trim().strip_prefix("DefaultZone="))
        .map_or("public", str::trim)
        .to_owned();
    let file = ["etc", "usr/lib"]
        .iter()
        .find_map(|base| root.text(&format!("{base}/firewalld/zones/{zone}.xml")).ok())
        .unwrap_or_default();
    // A Python program: the kernel knows it by its script's name.
    let running = processes::ids(root).into_iter().any(|id| processes::name(root, id) == "firewalld");
    let (incoming, rules) = parse_zone(&file);
    Some(Filter {
        name: "firewalld".into(),
        enabled: running,
        at_boot: at_boot(root, "firewalld.service"),
        incoming: Some(incoming.into()),
        rules: Some(rules),
        profile: zone,
        ..Filter::default()
    })
}

/// What a zone does with what it does not name, and how many entries it has.
pub fn parse_zone(xml: &str) -> (&'static str, u32) {
    let target = xml.split_once("target=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(word, _)| word);
    let incoming = match target {
        Some("ACCEPT") => "accept",
        Some("DROP") => "drop",
        _ => "reject",
    };
    let entries =
        ["<service ", "<port ", "<protocol ", "<source-port ", "<forward-port ", "<rule", "<icmp-block "];
    let count: usize = entries.iter().map(|entry| xml.matches(entry).count()).sum();
    (incoming, u32::try_from(count).unwrap_or(u32::MAX))
}
