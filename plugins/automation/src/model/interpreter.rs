//! The programs that run scripts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Program that runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Interpreter {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// Korn shell.
    Ksh,
    /// POSIX shell.
    Sh,
    /// Python 3.
    Python3,
    /// PowerShell: `powershell.exe` on Windows, `pwsh` elsewhere.
    Powershell,
    /// Windows command interpreter.
    Cmd,
}

impl Interpreter {
    /// Every interpreter.
    pub const ALL: [Self; 7] =
        [Self::Bash, Self::Zsh, Self::Ksh, Self::Sh, Self::Python3, Self::Powershell, Self::Cmd];

    /// Name in the API and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Ksh => "ksh",
            Self::Sh => "sh",
            Self::Python3 => "python3",
            Self::Powershell => "powershell",
            Self::Cmd => "cmd",
        }
    }

    /// The interpreter of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|i| i.name() == name)
    }

    /// Whether values may be positional arguments. PowerShell reads a value with a leading dash as a parameter of the
    /// script, and cmd expands what it is given: with those two, values go through the environment only.
    pub fn takes_arguments(self) -> bool {
        !matches!(self, Self::Powershell | Self::Cmd)
    }
}

/// How values reach the script. They are never pasted into its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Passing {
    /// As environment variables `PARAM_<NAME>`.
    #[default]
    Environment,
    /// As positional arguments, in the order of the parameters. Secrets still go through the environment, because
    /// every user of a machine can read the arguments of every process.
    Arguments,
}

impl Passing {
    /// Name in the API and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Arguments => "arguments",
        }
    }

    /// The way of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Environment, Self::Arguments].into_iter().find(|p| p.name() == name)
    }
}
