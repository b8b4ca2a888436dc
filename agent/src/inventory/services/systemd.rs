//! Services under systemd: its own lists while it runs, its files while it does not.

use std::collections::BTreeMap;

use super::{Service, Services, State, units};
use crate::inventory::{CollectError, source::Root};

/// Where unit files are, the first of a name counts.
pub const FOLDERS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// Ask the running systemd.
pub fn running(root: &Root) -> Result<Services, CollectError> {
    let plain = ["--type=service", "--plain", "--no-legend", "--no-pager", "--full"];
    let units = root.run("systemctl", &[&["list-units", "--all"], &plain[..]].concat());
    let files = root.run("systemctl", &[&["list-unit-files"], &plain[..]].concat());
    match (units, files) {
        (Some(units), files) => Ok(Services::of("systemd", join(&units, &files.unwrap_or_default()))),
        // It does not answer us: the files are there all the same.
        (None, _) => Ok(offline(root)),
    }
}

/// What the files say; states are not known.
pub fn offline(root: &Root) -> Services {
    let services = units::list(root, ".service")
        .into_iter()
        .map(|unit| Service::new(&unit.name, &unit.description, None, unit.enabled))
        .collect();
    Services { offline: true, ..Services::of("systemd", services) }
}

/// Join `list-units` and `list-unit-files`, both with `--plain --no-legend`.
pub fn join(units: &str, files: &str) -> Vec<Service> {
    let mut enabled: BTreeMap<&str, &str> = BTreeMap::new();
    for line in files.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(state)) = (words.next(), words.next()) {
            enabled.insert(name, state);
        }
    }
    let mut services = Vec::new();
    for line in units.lines() {
        let mut rest = line.trim_start_matches(['●', '*', '×', ' ']);
        let mut word = || {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            rest = after.trim_start();
            word
        };
        let (name, load, active, sub) = (word(), word(), word(), word());
        // Units that others only mention are no services of this machine.
        if name.is_empty() || load == "not-found" {
            continue;
        }
        let template = name.split_once('@').map(|(start, _)| format!("{start}@.service"));
        let file = enabled.remove(name).or_else(|| enabled.get(template.as_deref()?).copied());
        services.push(Service::new(name, rest, state(active, sub), file.unwrap_or_default()));
    }
    services.extend(
        enabled.into_iter().map(|(name, enabled)| Service::new(name, "", Some(State::Stopped), enabled)),
    );
    services
}

/// Our word for systemd's two.
fn state(active: &str, sub: &str) -> Option<State> {
    Some(match (active, sub) {
        ("active" | "reloading" | "refreshing", "exited") => State::Exited,
        ("active" | "reloading" | "refreshing", _) => State::Running,
        ("inactive" | "maintenance", _) => State::Stopped,
        ("failed", _) => State::Failed,
        ("activating", _) => State::Starting,
        ("deactivating", _) => State::Stopping,
        _ => return None,
    })
}
