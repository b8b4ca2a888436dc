//! Services under OpenRC: it keeps a folder of links per state and per run level.

use super::{Service, Services, State};
use crate::inventory::source::Root;

/// States as OpenRC's folders below `/run/openrc` are named.
const STATES: [(&str, State); 5] = [
    ("failed", State::Failed),
    ("starting", State::Starting),
    ("stopping", State::Stopping),
    ("started", State::Running),
    ("inactive", State::Stopped),
];

/// Services with their states and run levels.
pub fn collect(root: &Root) -> Services {
    let levels: Vec<(String, Vec<String>)> = root
        .names("etc/runlevels")
        .into_iter()
        .map(|level| (level.clone(), root.names(&format!("etc/runlevels/{level}"))))
        .collect();
    let states = STATES.map(|(folder, state)| (root.names(&format!("run/openrc/{folder}")), state));
    let services = root.names("etc/init.d").into_iter().filter(|name| !name.ends_with(".sh")).map(|name| {
        let within: Vec<&str> = levels
            .iter()
            .filter(|(_, names)| names.contains(&name))
            .map(|(level, _)| level.as_str())
            .collect();
        let state =
            states.iter().find(|(names, _)| names.contains(&name)).map_or(State::Stopped, |(_, s)| *s);
        let enabled =
            if within.is_empty() { "disabled".into() } else { format!("enabled ({})", within.join(" ")) };
        let description = description(&root.text(&format!("etc/init.d/{name}")).unwrap_or_default());
        Service::new(&name, &description, Some(state), &enabled)
    });
    Services::of("openrc", services.collect())
}

/// The script's `description="..."`.
fn description(script: &str) -> String {
    let line = script.lines().find_map(|line| line.trim().strip_prefix("description="));
    line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
}
