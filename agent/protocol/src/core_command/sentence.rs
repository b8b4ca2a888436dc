//! A core command as a sentence.

use super::{CoreCommand as C, ServiceVerb};

/// Names that are spelled out; the rest is counted.
const SPELLED: usize = 3;

pub(super) fn of(command: &C, machines: usize) -> String {
    let what = match command {
        C::Ping => "Ping".into(),
        C::RefreshInventory(_) => "Collect the inventory".into(),
        C::UsersList => "List the users".into(),
        C::Install(install) => format!("Install {}", list(&install.packages)),
        C::Remove(remove) if remove.purge => format!("Purge {}", list(&remove.packages)),
        C::Remove(remove) => format!("Remove {}", list(&remove.packages)),
        C::Upgrade(upgrade) if upgrade.security_only => "Install security updates".into(),
        C::Upgrade(upgrade) if upgrade.packages.is_empty() => "Install all updates".into(),
        C::Upgrade(upgrade) => format!("Upgrade {}", list(&upgrade.packages)),
        C::Refresh(_) => "Refresh the package lists".into(),
        C::Service(verb, services) => format!("{} {}", capital(*verb), list(&services.services)),
        C::AgentUpdate(update) => {
            format!("Update the agent to {}", update.version.chars().take(40).collect::<String>())
        }
        C::Reboot(_) => "Reboot".into(),
        C::Shutdown(_) => "Shut down".into(),
    };
    let place = match (command, machines) {
        (C::Reboot(_) | C::Shutdown(_), 1) => "1 machine".into(),
        (C::Reboot(_) | C::Shutdown(_), n) => format!("{n} machines"),
        (_, 1) => "on 1 machine".into(),
        (_, n) => format!("on {n} machines"),
    };
    let trial = if command.is_dry_run() { " (dry run)" } else { "" };
    format!("{what} {place}{trial}")
}

fn capital(verb: ServiceVerb) -> &'static str {
    match verb {
        ServiceVerb::Start => "Start",
        ServiceVerb::Stop => "Stop",
        ServiceVerb::Restart => "Restart",
        ServiceVerb::Reload => "Reload",
        ServiceVerb::Enable => "Enable",
        ServiceVerb::Disable => "Disable",
    }
}

fn list(names: &[String]) -> String {
    let short = |name: &String| name.chars().take(40).collect::<String>();
    match names {
        [] => "nothing".into(),
        [one] => short(one),
        [most @ .., last] if names.len() <= SPELLED => {
            format!("{} and {}", most.iter().map(short).collect::<Vec<_>>().join(", "), short(last))
        }
        more => {
            let first = more[..SPELLED - 1].iter().map(short).collect::<Vec<_>>().join(", ");
            format!("{first} and {} more", more.len() - (SPELLED - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::core_command::CoreCommand;

    #[test]
    fn a_command_reads_as_a_sentence() {
        let say = |name: &str, payload: &str, machines| {
            CoreCommand::parse(name, payload.as_bytes())
                .expect("a core command")
                .expect("good parameters")
                .sentence(machines)
        };
        assert_eq!(
            say("core.packages.install", r#"{"packages":["nginx"]}"#, 12),
            "Install nginx on 12 machines"
        );
        let dry = r#"{"packages":["a","b","c","d"],"dry_run":true}"#;
        assert_eq!(say("core.packages.remove", dry, 1), "Remove a, b and 2 more on 1 machine (dry run)");
        let security = r#"{"security_only":true}"#;
        assert_eq!(say("core.packages.upgrade", security, 3), "Install security updates on 3 machines");
        assert_eq!(
            say("core.services.restart", r#"{"services":["x","y"]}"#, 2),
            "Restart x and y on 2 machines"
        );
        assert_eq!(say("core.power.reboot", "", 2), "Reboot 2 machines");
    }
}
