//! How a command ended, and the result that says so.

use agent_protocol::{
    UnixMs, limits,
    task::{Outcome, TaskError, TaskResult},
};
use uuid::Uuid;

/// How a command ended, before it is written down.
pub(super) struct End {
    pub(super) outcome: Outcome,
    payload: Vec<u8>,
    error: Option<TaskError>,
}

impl End {
    pub(super) fn without_success(outcome: Outcome, code: &str, message: impl Into<String>) -> Self {
        let error =
            TaskError { code: bounded(code, limits::MAX_NAME_BYTES, "failed"), message: message.into() };
        let error = TaskError { message: bounded(&error.message, limits::MAX_MESSAGE_BYTES, ""), ..error };
        Self { outcome, payload: Vec::new(), error: Some(error) }
    }

    pub(super) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::without_success(Outcome::Refused, code, message)
    }
}

/// Text cut to a number of bytes, at a character's end.
pub(super) fn bounded(text: &str, limit: usize, empty: &str) -> String {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end == 0 { empty.to_owned() } else { text[..end].to_owned() }
}

/// From the handler's answer, and why it was told to stop, if it was.
pub(super) fn conclude(answer: Result<Vec<u8>, plugin_api::EngineError>, reason: Option<Outcome>) -> End {
    match (answer, reason) {
        (Ok(payload), reason) if payload.len() <= limits::MAX_PAYLOAD_BYTES => judge(payload, reason),
        (Ok(_), _) => {
            End::without_success(Outcome::Failed, "result_too_large", "The command's result is too large.")
        }
        (Err(error), Some(Outcome::Cancelled)) => {
            End::without_success(Outcome::Cancelled, &error.code, error.message)
        }
        (Err(error), Some(_)) => End::without_success(Outcome::TimedOut, &error.code, error.message),
        (Err(error), None) => End::without_success(Outcome::Failed, &error.code, error.message),
    }
}

/// A result that carries an `error` did not succeed, and is kept all the same: a script that ended badly has both.
fn judge(payload: Vec<u8>, reason: Option<Outcome>) -> End {
    #[derive(serde::Deserialize)]
    struct Carried {
        error: TaskError,
    }
    let Ok(Carried { error }) = serde_json::from_slice(&payload) else {
        return End { outcome: Outcome::Succeeded, payload, error: None };
    };
    let outcome = match reason {
        Some(Outcome::Cancelled) => Outcome::Cancelled,
        Some(_) => Outcome::TimedOut,
        None if error.code == "timed_out" => Outcome::TimedOut,
        None => Outcome::Failed,
    };
    End { payload, ..End::without_success(outcome, &error.code, error.message) }
}

/// No such command.
pub(super) fn unknown(name: &str) -> End {
    End::refused("unknown_command", format!("This agent has no command `{name}`."))
}

/// The result to write down; the spool fills in the rest.
pub(super) fn result(task_id: Uuid, end: End, finished_at: UnixMs) -> TaskResult {
    TaskResult {
        task_id,
        outcome: end.outcome,
        payload: end.payload.into(),
        error: end.error,
        started_at: None,
        finished_at,
        output_chunks: 0,
    }
}
