//! The half that runs on machines: the commands `run_script` and `check_script`.

mod account;
mod environment;
mod masking;
mod plan;
mod process;
mod pump;
mod scratch;

use std::{path::PathBuf, time::Duration};

use plugin_sdk::{CommandContext, Commands, EngineError, EngineResult};

use crate::model::{
    digest, limits,
    wire::{ScriptJob, ScriptResult},
};

pub use account::Account;
pub use masking::{MASK, Masker, Patterns};
pub use plan::{Plan, System, check as check_plan, run as run_plan};

/// Handlers by name.
pub fn commands() -> Commands {
    Commands::new()
        .on("run_script", |ctx, job| execute(ctx, job, Mode::Run))
        .on("check_script", |ctx, job| execute(ctx, job, Mode::Check))
}

/// Whether the script runs, or only its syntax is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Run,
    Check,
}

async fn execute(ctx: CommandContext, job: ScriptJob, mode: Mode) -> EngineResult<ScriptResult> {
    verify(&job)?;
    let account = Account::find(job.run_as.as_deref())?;
    let patterns = Patterns::of(&environment::secrets(&job)?);
    let arguments = environment::arguments(&job)?;
    let scratch = scratch::Scratch::write(ctx.data_dir(), &job, &account).await?;
    let plan = match mode {
        Mode::Run => plan::run(System::here(), job.interpreter, scratch.script(), &arguments)?,
        Mode::Check => plan::check(System::here(), job.interpreter, scratch.script())?,
    };
    let program = plan.locate().ok_or_else(|| {
        EngineError::new(
            "interpreter_missing",
            format!(
                "This machine has no {}; install it or choose another interpreter.",
                plan.programs.join(" or ")
            ),
        )
    })?;
    let launch = process::Launch {
        program,
        arguments: plan.arguments,
        environment: environment::variables(&job, &account, scratch.script()),
        directory: directory(&job, &account)?,
        account,
        timeout: (job.timeout_s > 0).then(|| Duration::from_secs(job.timeout_s.into())),
        output_limit: job.output_limit_bytes.min(limits::OUTPUT_BYTES),
        patterns,
    };
    let result = process::run(&ctx, launch).await;
    scratch.remove().await;
    result
}

/// The text must be the one that was stored and approved.
fn verify(job: &ScriptJob) -> EngineResult {
    if job.content.len() > limits::SCRIPT_BYTES {
        return Err(EngineError::new("script_too_large", "The script is larger than this agent accepts."));
    }
    if digest::sha256(job.content.as_bytes()) != job.sha256 {
        return Err(EngineError::new(
            "script_altered",
            "The script is not the one that was approved: its digest differs.",
        ));
    }
    Ok(())
}

fn directory(job: &ScriptJob, account: &Account) -> EngineResult<PathBuf> {
    match &job.working_directory {
        Some(path) if std::path::Path::new(path).is_dir() => Ok(path.into()),
        Some(path) => Err(EngineError::new(
            "no_directory",
            format!("The working directory {path} does not exist here."),
        )),
        None if account.home.is_dir() => Ok(account.home.clone()),
        None => Ok(std::env::temp_dir()),
    }
}
