//! Processes of the machine, from `/proc`: looked at one by one, none kept.

use super::source::Root;

/// More processes than this are not looked at.
const MOST: usize = 32_768;

/// Process ids, ascending.
pub fn ids(root: &Root) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(root.path("proc")) else { return Vec::new() };
    let mut ids: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).take(MOST).collect();
    ids.sort_unstable();
    ids
}

/// A process's name, cut by the kernel to 15 characters; empty when it is gone.
pub fn name(root: &Root, id: u32) -> String {
    root.line(&format!("proc/{id}/comm")).unwrap_or_default()
}

/// Where a process belongs, by its control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A unit of the machine.
    Unit(String),
    /// Somebody's session.
    Session,
    /// No telling.
    Unknown,
}

/// Where a process belongs.
pub fn owner(root: &Root, id: u32) -> Owner {
    root.text(&format!("proc/{id}/cgroup")).map_or(Owner::Unknown, |text| parse_cgroup(&text))
}

/// The unit that `/proc/<id>/cgroup` names: of the unified hierarchy, or of systemd's own.
pub fn parse_cgroup(text: &str) -> Owner {
    let path = text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        (controllers.is_empty() || controllers == "name=systemd").then_some(path)
    });
    let Some(path) = path else { return Owner::Unknown };
    if path.starts_with("/user.slice/") {
        return Owner::Session;
    }
    let unit = path.split('/').find(|part| part.ends_with(".service") || part.ends_with(".scope"));
    unit.map_or(Owner::Unknown, |unit| Owner::Unit(unit.to_owned()))
}
