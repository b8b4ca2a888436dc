//! What a script is given: a clean environment, its values as variables or arguments, and which of them are secret.

use std::path::Path;

use plugin_sdk::{EngineError, EngineResult};

use super::account::Account;
use crate::model::{
    interpreter::Passing,
    limits,
    parameter::variable,
    wire::{ScriptJob, WireValue},
};

/// Where programs are looked for, and the `PATH` a script sees.
#[cfg(unix)]
pub const SEARCH_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/pkg/bin:/opt/homebrew/bin";
/// Where programs are looked for, and the `PATH` a script sees.
#[cfg(not(unix))]
pub const SEARCH_PATH: &str = r"C:\Windows\System32;C:\Windows;C:\Windows\System32\WindowsPowerShell\v1.0";

/// Variables of the agent that a script on Windows cannot do without.
#[cfg(not(unix))]
const KEPT: [&str; 8] =
    ["SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "TEMP", "TMP", "ProgramData"];
#[cfg(unix)]
const KEPT: [&str; 1] = ["TZ"];

/// The whole environment of the script. Nothing else of the agent's own reaches it.
pub fn variables(job: &ScriptJob, account: &Account, script: &str) -> Vec<(String, String)> {
    let mut variables = vec![
        ("PATH".to_owned(), SEARCH_PATH.to_owned()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("HOME".to_owned(), text(&account.home)),
        ("USER".to_owned(), account.name.clone()),
        ("LOGNAME".to_owned(), account.name.clone()),
        ("SYSMANAGE_RUN_ID".to_owned(), job.run_id.clone()),
        ("SYSMANAGE_SCRIPT".to_owned(), script.to_owned()),
    ];
    variables.extend(KEPT.iter().filter_map(|k| Some(((*k).to_owned(), std::env::var(k).ok()?))));
    let by_variable = |p: &&WireValue| p.secret || job.passing == Passing::Environment;
    variables.extend(
        job.parameters.iter().filter(by_variable).filter_map(|p| Some((variable(&p.name), p.value.clone()?))),
    );
    variables
}

/// Positional arguments: every value that is not secret, in the order of the parameters, empty when absent.
///
/// # Errors
/// `parameter_invalid` for a value that no program can receive.
pub fn arguments(job: &ScriptJob) -> EngineResult<Vec<String>> {
    if let Some(p) = job.parameters.iter().find(|p| p.value.as_deref().is_some_and(|v| v.contains('\0'))) {
        return Err(EngineError::new(
            "parameter_invalid",
            format!("The value of the parameter `{}` holds a NUL character.", p.name),
        ));
    }
    if job.passing == Passing::Environment {
        return Ok(Vec::new());
    }
    Ok(job.parameters.iter().filter(|p| !p.secret).map(|p| p.value.clone().unwrap_or_default()).collect())
}

/// Values that must not leave this machine.
///
/// # Errors
/// `secret_missing` when the host filled none in, `secret_too_short` when it could not be masked.
pub fn secrets(job: &ScriptJob) -> EngineResult<Vec<String>> {
    let mut secrets = Vec::new();
    for p in job.parameters.iter().filter(|p| p.secret) {
        let Some(value) = &p.value else {
            return Err(EngineError::new(
                "secret_missing",
                format!("The secret for `{}` was not filled in.", p.name),
            ));
        };
        if value.trim().len() < limits::SECRET_MIN_BYTES {
            let least = limits::SECRET_MIN_BYTES;
            return Err(EngineError::new(
                "secret_too_short",
                format!("The secret for `{}` has fewer than {least} bytes and cannot be masked.", p.name),
            ));
        }
        secrets.push(value.clone());
    }
    Ok(secrets)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
