//! Which program runs a script, with which arguments. Pure, so that every interpreter is tested without being there.
//!
//! The script is a file and every value is an argument of its own: no shell reads them.

use std::path::PathBuf;

use plugin_sdk::{EngineError, EngineResult};

use super::environment::SEARCH_PATH;
use crate::model::interpreter::Interpreter;

/// Kind of system a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux, macOS, BSD.
    Unix,
    /// Windows.
    Windows,
}

impl System {
    /// The system this agent runs on.
    pub fn here() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Unix }
    }
}

/// A program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Names of the program, best first; the first found runs.
    pub programs: &'static [&'static str],
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// Parses a PowerShell file, prints its errors and ends with 1 when there are any. Its path comes by environment.
const POWERSHELL_CHECK: &str = "$e = $null; \
    [void][System.Management.Automation.Language.Parser]::ParseFile($env:SYSMANAGE_SCRIPT, [ref]$null, [ref]$e); \
    $e | ForEach-Object { [Console]::Error.WriteLine($_.ToString()) }; exit [int]($e.Count -gt 0)";

/// Parses a Python file without running it; a syntax error goes to standard error with exit code 1.
const PYTHON_CHECK: &str = "import ast, sys; ast.parse(open(sys.argv[1], 'rb').read(), 'script')";

/// Plan to run the script at `script` with positional `arguments`.
///
/// # Errors
/// `interpreter_unsupported` for cmd outside Windows, `arguments_unsupported` where values may only go by environment.
pub fn run(
    system: System,
    interpreter: Interpreter,
    script: &str,
    arguments: &[String],
) -> EngineResult<Plan> {
    let programs = programs(system, interpreter)?;
    if !arguments.is_empty() && !interpreter.takes_arguments() {
        return Err(EngineError::new(
            "arguments_unsupported",
            format!("{} takes values through the environment only.", interpreter.name()),
        ));
    }
    let fixed: &[&str] = match interpreter {
        Interpreter::Bash | Interpreter::Ksh | Interpreter::Sh | Interpreter::Python3 => &[],
        Interpreter::Zsh => &["-f"],
        Interpreter::Powershell => {
            &["-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"]
        }
        Interpreter::Cmd => &["/D", "/C"],
    };
    Ok(plan(programs, fixed, std::iter::once(script).chain(arguments.iter().map(String::as_str))))
}

/// Plan to check the syntax of the script at `script`, without running any of it.
///
/// # Errors
/// `check_unsupported` for cmd, which cannot; `interpreter_unsupported` as for [`run`].
pub fn check(system: System, interpreter: Interpreter, script: &str) -> EngineResult<Plan> {
    let programs = programs(system, interpreter)?;
    let fixed: &[&str] = match interpreter {
        Interpreter::Bash | Interpreter::Ksh | Interpreter::Sh => &["-n"],
        Interpreter::Zsh => &["-f", "-n"],
        Interpreter::Python3 => &["-I", "-c", PYTHON_CHECK],
        Interpreter::Powershell => {
            return Ok(plan(
                programs,
                &["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", POWERSHELL_CHECK],
                [],
            ));
        }
        Interpreter::Cmd => {
            return Err(EngineError::new(
                "check_unsupported",
                "cmd cannot check a script without running it.",
            ));
        }
    };
    Ok(plan(programs, fixed, [script]))
}

fn plan<'a>(
    programs: &'static [&'static str],
    fixed: &[&'a str],
    rest: impl IntoIterator<Item = &'a str>,
) -> Plan {
    Plan { programs, arguments: fixed.iter().copied().chain(rest).map(str::to_owned).collect() }
}

fn programs(system: System, interpreter: Interpreter) -> EngineResult<&'static [&'static str]> {
    Ok(match (system, interpreter) {
        (System::Unix, Interpreter::Bash) => &["bash"],
        (System::Unix, Interpreter::Zsh) => &["zsh"],
        (System::Unix, Interpreter::Ksh) => &["ksh", "ksh93", "mksh"],
        (System::Unix, Interpreter::Sh) => &["sh"],
        (System::Unix, Interpreter::Python3) => &["python3"],
        (System::Unix, Interpreter::Powershell) => &["pwsh"],
        (System::Windows, Interpreter::Bash) => &["bash.exe"],
        (System::Windows, Interpreter::Zsh) => &["zsh.exe"],
        (System::Windows, Interpreter::Ksh) => &["ksh.exe"],
        (System::Windows, Interpreter::Sh) => &["sh.exe"],
        (System::Windows, Interpreter::Python3) => &["python3.exe", "python.exe"],
        (System::Windows, Interpreter::Powershell) => &["powershell.exe", "pwsh.exe"],
        (System::Windows, Interpreter::Cmd) => &["cmd.exe"],
        (System::Unix, Interpreter::Cmd) => {
            return Err(EngineError::new("interpreter_unsupported", "cmd runs on Windows only."));
        }
    })
}

impl Plan {
    /// Where the program lies: in the usual folders, then on the agent's own path.
    pub fn locate(&self) -> Option<PathBuf> {
        let own = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(SEARCH_PATH).chain(std::env::split_paths(&own)).collect();
        let at = |name: &&str| folders.iter().map(|f| f.join(name)).find(|p| p.is_absolute() && p.is_file());
        self.programs.iter().find_map(at)
    }
}
