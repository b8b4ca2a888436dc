//! Services: what to run on which service manager, and how the services are afterwards.

use std::{collections::BTreeMap, path::Path};

use agent_protocol::core_command::{ServiceVerb, Services};
use plugin_api::error::encode;
use serde::Serialize;

use super::{
    builtin::{Call, Finished, Surroundings, Told, failed, known_sections},
    job::Job,
    packages::{Exit, Failure, Plan, Step},
};

/// What starts and stops services here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// systemd
    Systemd,
    /// OpenRC
    OpenRc,
    /// rc of FreeBSD
    FreeBsd,
    /// rcctl of OpenBSD
    OpenBsd,
    /// rc.d of NetBSD
    NetBsd,
    /// launchd
    Launchd,
    /// Windows
    Windows,
}

/// The one of this machine.
fn init() -> Option<Init> {
    match std::env::consts::OS {
        "linux" if Path::new("/run/systemd/system").exists() => Some(Init::Systemd),
        "linux" if Path::new("/run/openrc").exists() => Some(Init::OpenRc),
        "freebsd" => Some(Init::FreeBsd),
        "openbsd" => Some(Init::OpenBsd),
        "netbsd" => Some(Init::NetBsd),
        "macos" => Some(Init::Launchd),
        "windows" => Some(Init::Windows),
        _ => None,
    }
}

/// What to run. `None` when this service manager has no such thing.
pub fn plan(init: Init, verb: ServiceVerb, asked: &Services) -> Option<Plan> {
    let mut steps = Vec::new();
    if init == Init::Systemd {
        let mut args = vec!["--no-ask-password".to_owned(), verb.name().into()];
        if asked.now {
            args.push("--now".into());
        }
        args.push("--".into());
        args.extend(asked.services.iter().cloned());
        steps.push(Step { program: "systemctl".into(), args });
    } else {
        for service in &asked.services {
            steps.push(one(init, verb, service)?);
            let also = match verb {
                ServiceVerb::Enable => ServiceVerb::Start,
                _ => ServiceVerb::Stop,
            };
            if asked.now {
                steps.push(one(init, also, service)?);
            }
        }
    }
    Some(Plan { steps, env: BTreeMap::from([("LC_ALL".into(), "C.UTF-8".into())]) })
}

fn one(init: Init, verb: ServiceVerb, service: &str) -> Option<Step> {
    use ServiceVerb as V;
    let step = |program: &str, args: &[&str]| {
        Some(Step { program: program.into(), args: args.iter().map(|arg| (*arg).to_owned()).collect() })
    };
    match (init, verb) {
        (Init::OpenRc, V::Enable) => step("rc-update", &["add", service, "default"]),
        (Init::OpenRc, V::Disable) => step("rc-update", &["del", service, "default"]),
        (Init::OpenRc, verb) => step("rc-service", &["--", service, verb.name()]),
        (Init::FreeBsd, V::Enable | V::Disable) => step("service", &[service, verb.name()]),
        // `onestart` works whether it is enabled or not, as on the other systems.
        (Init::FreeBsd | Init::NetBsd, V::Start) => step("service", &[service, "onestart"]),
        (Init::FreeBsd | Init::NetBsd, V::Stop) => step("service", &[service, "onestop"]),
        (Init::FreeBsd | Init::NetBsd, V::Restart) => step("service", &[service, "onerestart"]),
        (Init::FreeBsd | Init::NetBsd, V::Reload) => step("service", &[service, "onereload"]),
        (Init::NetBsd, V::Enable | V::Disable) => None,
        (Init::OpenBsd, V::Enable | V::Disable | V::Start | V::Stop | V::Restart | V::Reload) => {
            step("rcctl", &[verb.name(), service])
        }
        (Init::Launchd, V::Restart | V::Start) => {
            step("launchctl", &["kickstart", "-k", &format!("system/{service}")])
        }
        (Init::Launchd, V::Stop) => step("launchctl", &["kill", "SIGTERM", &format!("system/{service}")]),
        (Init::Launchd, V::Enable | V::Disable) => {
            step("launchctl", &[verb.name(), &format!("system/{service}")])
        }
        (Init::Launchd, V::Reload) => step("launchctl", &["kill", "SIGHUP", &format!("system/{service}")]),
        (Init::Windows, V::Start | V::Stop) => step("sc.exe", &[verb.name(), service]),
        (Init::Windows, V::Restart) => {
            let script = format!("Restart-Service -Name '{service}'");
            step("powershell.exe", &["-NoProfile", "-NonInteractive", "-Command", &script])
        }
        (Init::Windows, V::Enable) => step("sc.exe", &["config", service, "start=", "auto"]),
        (Init::Windows, V::Disable) => step("sc.exe", &["config", service, "start=", "disabled"]),
        (Init::Windows, V::Reload) => None,
        (Init::Systemd, _) => None,
    }
}

/// Do it, as a job: a service may be the agent itself, or what it needs.
pub(super) async fn run(
    around: &Surroundings,
    call: &Call<'_>,
    verb: ServiceVerb,
    asked: &Services,
) -> Finished {
    let Some(init) = init() else {
        return failed("not_supported", "This machine has no service manager that the agent knows.");
    };
    let Some(plan) = plan(init, verb, asked) else {
        return failed(
            "not_supported",
            format!("This machine's service manager cannot {} a service.", verb.name()),
        );
    };
    let job = Job::Process { command: call.name.into(), payload: call.payload.into(), plan };
    if let Err(error) = call.dir.create(&job) {
        return failed("not_started", format!("The job cannot be written down: {error}."));
    }
    around.process(call).await
}

#[derive(Serialize)]
struct Report<'a> {
    services: &'a [String],
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Told>,
}

/// The result of a run that ended.
pub(super) async fn finish(
    around: &Surroundings,
    call: &Call<'_>,
    verb: ServiceVerb,
    asked: &Services,
    exit: Exit,
) -> Finished {
    around.inventory.refresh(&known_sections(&["services"])).await;
    let error = (exit.code != Some(0)).then(|| failure(verb, &exit, &call.dir.tail()).into());
    Finished::Answer(encode(&Report { services: &asked.services, exit_code: exit.code, error }))
}

fn failure(verb: ServiceVerb, exit: &Exit, output: &str) -> Failure {
    let said = output.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let unknown = ["not found", "not loaded", "does not exist", "Could not find service", "FAILED 1060"];
    let code = match exit {
        Exit { not_started: Some(_), .. } => "not_started",
        _ if unknown.iter().any(|words| output.contains(words)) => "service_unknown",
        _ if output.contains("masked") => "service_masked",
        _ => "service_failed",
    };
    let message = match (&exit.not_started, exit.code) {
        (Some(why), _) => format!("The service manager could not be started: {why}."),
        (None, Some(number)) => format!("To {} it failed with code {number}: {said}", verb.name()),
        (None, None) => format!("To {} it was ended from outside.", verb.name()),
    };
    Failure { code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(init: Init, verb: ServiceVerb, now: bool) -> String {
        let asked = Services { services: vec!["nginx".into(), "ssh".into()], now };
        let Some(plan) = plan(init, verb, &asked) else { return "cannot".into() };
        let step = |step: &Step| format!("{} {}", step.program, step.args.join(" "));
        plan.steps.iter().map(step).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn each_service_manager_is_spoken_to_in_its_own_words() {
        use Init as I;
        use ServiceVerb as V;
        for (init, verb, now, want) in [
            (I::Systemd, V::Restart, false, "systemctl --no-ask-password restart -- nginx ssh"),
            (I::Systemd, V::Enable, true, "systemctl --no-ask-password enable --now -- nginx ssh"),
            (I::OpenRc, V::Stop, false, "rc-service -- nginx stop; rc-service -- ssh stop"),
            (I::OpenRc, V::Disable, false, "rc-update del nginx default; rc-update del ssh default"),
            (I::FreeBsd, V::Restart, false, "service nginx onerestart; service ssh onerestart"),
            (I::OpenBsd, V::Enable, false, "rcctl enable nginx; rcctl enable ssh"),
            (I::NetBsd, V::Enable, false, "cannot"),
            (
                I::Launchd,
                V::Start,
                false,
                "launchctl kickstart -k system/nginx; launchctl kickstart -k system/ssh",
            ),
            (
                I::Windows,
                V::Disable,
                false,
                "sc.exe config nginx start= disabled; sc.exe config ssh start= disabled",
            ),
        ] {
            assert_eq!(line(init, verb, now), want);
        }
    }
}
