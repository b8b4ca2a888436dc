//! What the server half sends to the agent half, and what comes back.

use serde::{Deserialize, Serialize};

use super::interpreter::{Interpreter, Passing};

/// Payload of the commands `run_script` and `check_script`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScriptJob {
    /// The run, given to the script as `SYSMANAGE_RUN_ID`.
    pub run_id: String,
    /// Program.
    pub interpreter: Interpreter,
    /// Text of the script, exactly as stored.
    pub content: String,
    /// SHA-256 of the text; the agent refuses a text that differs.
    pub sha256: String,
    /// Way of passing values.
    pub passing: Passing,
    /// Values, in the order of the script's parameters.
    #[serde(default)]
    pub parameters: Vec<WireValue>,
    /// User to run as; the agent's own when absent.
    #[serde(default)]
    pub run_as: Option<String>,
    /// Working directory; the user's home when absent.
    #[serde(default)]
    pub working_directory: Option<String>,
    /// Seconds the script may run; 0 for the task's deadline alone.
    #[serde(default)]
    pub timeout_s: u32,
    /// Bytes of output sent at most.
    #[serde(default)]
    pub output_limit_bytes: u64,
}

/// One value on its way to a machine.
#[derive(Clone, Serialize, Deserialize)]
pub struct WireValue {
    /// Name of the parameter.
    pub name: String,
    /// Whether it is a secret; then the host fills in `value` when it sends the task.
    #[serde(default)]
    pub secret: bool,
    /// The text; absent for an optional parameter without a value.
    #[serde(default)]
    pub value: Option<String>,
}

impl std::fmt::Debug for WireValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireValue")
            .field("name", &self.name)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// Why a script did not do well. A result that carries one counts as failed, and is kept all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// Stable code: `exit_code`, `killed_by_signal`, `timed_out`, `cancelled`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

impl Failure {
    /// A failure.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// Result of a script that was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScriptResult {
    /// Exit code; absent when a signal ended it.
    pub exit_code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// Bytes written to standard output, before the limit.
    pub stdout_bytes: u64,
    /// Bytes written to standard error, before the limit.
    pub stderr_bytes: u64,
    /// Whether the limit cut the output.
    pub truncated: bool,
    /// SHA-256 of all standard output, masked.
    pub stdout_sha256: String,
    /// SHA-256 of all standard error, masked.
    pub stderr_sha256: String,
    /// Why it did not do well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}
