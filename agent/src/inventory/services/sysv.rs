//! Services of System V init: scripts, and links to them per run level. Whether they run is not written anywhere.

use super::{Service, Services};
use crate::inventory::source::Root;

/// Scripts of `/etc/init.d` and whether a run level for users starts them.
pub fn collect(root: &Root) -> Services {
    let started: Vec<String> = ["2", "3", "4", "5"]
        .iter()
        .flat_map(|level| [format!("etc/rc{level}.d"), format!("etc/rc.d/rc{level}.d")])
        .flat_map(|folder| root.names(&folder))
        .filter(|name| name.starts_with('S'))
        .map(|name| name.trim_start_matches(|c: char| c == 'S' || c.is_ascii_digit()).to_owned())
        .collect();
    let services = root.names("etc/init.d").into_iter().filter(|name| name != "README" && name != "skeleton");
    let services = services.map(|name| {
        let enabled = if started.contains(&name) { "enabled" } else { "disabled" };
        let description = description(&root.text(&format!("etc/init.d/{name}")).unwrap_or_default());
        Service::new(&name, &description, None, enabled)
    });
    Services::of("sysvinit", services.collect())
}

/// The script's `# Short-Description:`.
fn description(script: &str) -> String {
    let line = script.lines().find_map(|line| line.strip_prefix("# Short-Description:"));
    line.unwrap_or_default().trim().to_owned()
}
