//! What is remembered of one task.

use agent_protocol::{
    UnixMs,
    task::{Outcome, TaskError, TaskResult},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far a task is on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// On disk, not begun.
    Accepted,
    /// Begun; if the process ends now, it is interrupted.
    Started,
    /// Over; its result waits for the host.
    Finished,
    /// Over, and the host has the result.
    Acknowledged,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// State.
    pub state: State,
    /// The command's name.
    pub name: String,
    /// When it must have ended, in this machine's time.
    pub deadline: UnixMs,
    /// When it was accepted.
    pub accepted_at: UnixMs,
    /// When it began.
    #[serde(default)]
    pub started_at: Option<UnixMs>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<UnixMs>,
    /// How it ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Number of the next chunk of output.
    #[serde(default)]
    pub next_chunk: u64,
    /// Bytes of output kept so far.
    #[serde(default)]
    pub output_bytes: u64,
    /// Bytes of output that were not kept.
    #[serde(default)]
    pub dropped_bytes: u64,
    /// Bytes taken from each stream, kept or not: where the next agent goes on reading.
    #[serde(default)]
    pub taken: [u64; 2],
}

impl Record {
    pub(super) fn accepted(name: &str, deadline: UnixMs, now: UnixMs) -> Self {
        Self {
            state: State::Accepted,
            name: name.to_owned(),
            deadline,
            accepted_at: now,
            started_at: None,
            finished_at: None,
            outcome: None,
            next_chunk: 0,
            output_bytes: 0,
            dropped_bytes: 0,
            taken: [0, 0],
        }
    }

    /// The last moment at which the host might still have sent it.
    pub(super) fn last_use(&self) -> UnixMs {
        self.deadline.max(self.finished_at.unwrap_or(self.accepted_at))
    }

    /// The result in short, for a host that lost the one it acknowledged.
    pub(super) fn remembered(&self, task_id: Uuid) -> Option<TaskResult> {
        let outcome = self.outcome?;
        let error = (outcome != Outcome::Succeeded).then(|| TaskError {
            code: "result_forgotten".into(),
            message: "The host acknowledged this result before; the agent remembers only how it ended."
                .into(),
        });
        Some(TaskResult {
            task_id,
            outcome,
            payload: Default::default(),
            error,
            started_at: self.started_at,
            finished_at: self.finished_at.unwrap_or(self.accepted_at),
            output_chunks: self.next_chunk,
        })
    }
}
