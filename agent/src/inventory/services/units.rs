//! systemd's unit files, read without systemd: which there are and whether they start with the machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::systemd::FOLDERS;
use crate::inventory::source::Root;

/// A unit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Name with its suffix.
    pub name: String,
    /// Its description.
    pub description: String,
    /// `enabled`, `disabled`, `static`, `indirect`, `masked`, `alias`, `linked`.
    pub enabled: &'static str,
}

/// Units of a kind (`.service`), by name.
pub fn list(root: &Root, suffix: &str) -> Vec<Unit> {
    let links = links(root);
    let mut units: BTreeMap<String, Unit> = BTreeMap::new();
    for folder in FOLDERS {
        for name in root.names(folder).into_iter().filter(|name| name.ends_with(suffix)) {
            if !units.contains_key(&name)
                && let Some(unit) = unit(root, folder, &name, &links)
            {
                units.insert(name, unit);
            }
        }
    }
    units.into_values().collect()
}

/// Names that links below `/etc/systemd/system` point from and to: that is what enabling a unit leaves.
fn links(root: &Root) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for base in ["etc/systemd/system", "run/systemd/system"] {
        for name in root.names(base) {
            let path = format!("{base}/{name}");
            if [".wants", ".requires", ".upholds"].iter().any(|end| name.ends_with(end)) {
                for inner in root.names(&path) {
                    links.extend(target_name(&root.path(&format!("{path}/{inner}"))));
                    links.insert(inner);
                }
            } else if let Some(target) = target_name(&root.path(&path)).filter(|target| *target != name) {
                links.insert(target);
            }
        }
    }
    links
}

fn target_name(link: &Path) -> Option<String> {
    Some(std::fs::read_link(link).ok()?.file_name()?.to_str()?.to_owned())
}

fn unit(root: &Root, folder: &str, name: &str, links: &BTreeSet<String>) -> Option<Unit> {
    let path = root.path(&format!("{folder}/{name}"));
    let unit = |description, enabled| Some(Unit { name: name.to_owned(), description, enabled });
    if let Ok(target) = std::fs::read_link(&path) {
        if target == Path::new("/dev/null") {
            return unit(String::new(), "masked");
        }
        let target_name = target.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let same = target_name == name || is_instance(name, target_name);
        return if same { unit(String::new(), "linked") } else { unit(String::new(), "alias") };
    }
    let metadata = std::fs::metadata(&path).ok()?;
    if metadata.len() == 0 {
        return unit(String::new(), "masked");
    }
    let file = File::parse(&root.text(&format!("{folder}/{name}")).ok()?);
    let instance = |link: &String| is_instance(link, name);
    let enabled = if links.contains(name) || links.iter().any(instance) {
        "enabled"
    } else if file.installs {
        "disabled"
    } else if file.also {
        "indirect"
    } else {
        "static"
    };
    unit(file.description, enabled)
}

/// `getty@tty1.service` is an instance of `getty@.service`.
fn is_instance(name: &str, template: &str) -> bool {
    match (name.split_once('@'), template.split_once("@.")) {
        (Some((start, rest)), Some((template, end))) => {
            start == template && rest.rsplit_once('.').is_some_and(|(_, suffix)| suffix == end)
        }
        _ => false,
    }
}

/// What is used of a unit file.
#[derive(Debug, Default)]
struct File {
    description: String,
    /// It says how to be enabled.
    installs: bool,
    /// It enables others only.
    also: bool,
}

impl File {
    fn parse(text: &str) -> Self {
        let mut file = Self::default();
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            match (section, key.trim()) {
                ("[Unit]", "Description") => file.description = value.trim().to_owned(),
                ("[Install]", "WantedBy" | "RequiredBy" | "UpheldBy" | "Alias" | "DefaultInstance") => {
                    file.installs |= !value.trim().is_empty();
                }
                ("[Install]", "Also") => file.also = true,
                _ => {}
            }
        }
        file
    }
}
