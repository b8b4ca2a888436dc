//! A packages command from request to result.

use std::time::Duration;

use agent_protocol::core_command::CoreCommand;
use plugin_api::EngineError;
use serde::{Deserialize, Serialize};

use super::{
    Action, Exit, PackageManager, Plan, Request, Upgrading,
    changes::{self, Change, Installed},
};
use crate::tasks::{
    builtin::{Call, Finished, Surroundings, encode, failed},
    job::Job,
};

/// How long a survey may take.
const SURVEY: Duration = Duration::from_secs(120);
/// Sections that a run may have changed.
const SECTIONS: [&str; 4] = ["packages", "updates", "services", "reboot"];

/// What is kept beside the job for its result.
#[derive(Serialize, Deserialize)]
struct Before {
    installed: Installed,
}

/// The result of a run.
#[derive(Serialize)]
struct Report {
    manager: &'static str,
    dry_run: bool,
    exit_code: Option<i32>,
    changes: Vec<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<crate::tasks::builtin::Told>,
}

/// Run it.
pub async fn run(around: &Surroundings, call: &Call<'_>, command: &CoreCommand) -> Finished {
    let Some((request, wanted)) = Request::of(command) else {
        return failed("unknown_command", "This is no command of packages.");
    };
    let Some(manager) = wanted.map_or_else(super::native, |wanted| Some(super::manager(wanted))) else {
        return failed("no_package_manager", "This machine has no package manager that the agent knows.");
    };
    if super::find_program(manager.program()).is_none() {
        let message = format!("This machine has no `{}`.", manager.program());
        return failed("no_package_manager", message);
    }
    let request = match survey(manager, request).await {
        Ok(request) => request,
        Err(error) => return Finished::Answer(Err(error)),
    };
    if request.action == Action::Upgrade(Upgrading::Some(Vec::new())) {
        let nothing = report(manager, &request, &Exit { code: Some(0), ..Exit::default() }, Vec::new(), "");
        return Finished::Answer(encode(&nothing));
    }
    let plan = match manager.plan(&request) {
        Ok(plan) => plan,
        Err(unsupported) => return failed("not_supported", unsupported.to_string()),
    };
    let before = Before { installed: around.installed().await };
    let job = Job::Process { command: call.name.into(), payload: call.payload.into(), plan };
    let made = call.dir.create(&job).and_then(|()| call.dir.write("before.json", &before));
    if let Err(error) = made {
        return failed("not_started", format!("The job cannot be written down: {error}."));
    }
    around.process(call).await
}

/// The result of a job that ended, now or under an agent before this one.
pub async fn finish(around: &Surroundings, call: &Call<'_>, command: &CoreCommand, exit: Exit) -> Finished {
    let Some((request, wanted)) = Request::of(command) else {
        return failed("unknown_command", "This is no command of packages.");
    };
    let Some(manager) = wanted.map_or_else(super::native, |wanted| Some(super::manager(wanted))) else {
        return failed("no_package_manager", "This machine has no package manager that the agent knows.");
    };
    let output = call.dir.tail();
    let changes = if request.dry_run {
        changes::simulated(&output)
    } else {
        around.inventory.refresh(&crate::tasks::builtin::known_sections(&SECTIONS)).await;
        let before: Option<Before> = call.dir.read("before.json").ok().flatten();
        let after = around.installed().await;
        before.map(|before| changes::between(&before.installed, &after)).unwrap_or_default()
    };
    Finished::Answer(encode(&report(manager, &request, &exit, changes, &output)))
}

fn report(
    manager: &dyn PackageManager,
    request: &Request,
    exit: &Exit,
    changes: Vec<Change>,
    output: &str,
) -> Report {
    Report {
        manager: manager.manager().name(),
        dry_run: request.dry_run,
        exit_code: exit.code,
        changes,
        error: manager.failure(exit, output, request.dry_run).map(Into::into),
    }
}

async fn survey(manager: &dyn PackageManager, request: Request) -> Result<Request, EngineError> {
    let Some(plan) = manager.survey(&request) else { return Ok(request) };
    let (exit, output) = quick(&plan).await;
    match manager.failure(&exit, &output, true) {
        Some(failure) => Err(EngineError::new(failure.code, failure.message)),
        None => Ok(manager.surveyed(&request, &output)),
    }
}

/// Run a plan that changes nothing, and take what it prints.
async fn quick(plan: &Plan) -> (Exit, String) {
    let not_started = |why: String| (Exit { not_started: Some(why), ..Exit::default() }, String::new());
    let Some(step) = plan.steps.first() else { return not_started("there is nothing to run".into()) };
    let Some(program) = super::find_program(&step.program) else {
        return not_started("it is missing".into());
    };
    let mut command = tokio::process::Command::new(program);
    command.args(&step.args).envs(&plan.env).stdin(std::process::Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(SURVEY, command.output()).await {
        Err(_) => not_started("it did not end in time".into()),
        Ok(Err(error)) => not_started(error.to_string()),
        Ok(Ok(output)) => {
            let text =
                [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            (Exit { code: output.status.code(), ..Exit::default() }, text.join("\n"))
        }
    }
}

/// A line of apt's status descriptor: `pmstatus:nginx:33.3:Unpacking nginx`, `dlstatus:1:12.5:Retrieving file 1 of 3`.
pub fn progress(line: &str) -> Option<(u64, String)> {
    let mut parts = line.splitn(4, ':');
    let (kind, _what, percent, message) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !matches!(kind, "pmstatus" | "dlstatus") {
        return None;
    }
    let percent: f64 = percent.parse().ok()?;
    Some((percent.clamp(0.0, 100.0) as u64, message.trim().to_owned()))
}
