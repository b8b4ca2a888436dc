//! Service `operations`: methods `create` ([`NewOperation`] -> [`OperationId`]), `get` ([`OperationId`] -> [`Operation`]),
//! `tasks` ([`TasksRequest`] -> `Vec<Task>`), `output` ([`OutputRequest`] -> [`Output`]), `cancel` ([`CancelRequest`]),
//! `retry` ([`RetryRequest`] -> [`OperationId`]).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// State of a task on one machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for its machine or for a free place.
    #[default]
    Queued,
    /// Sent, not yet started.
    Dispatched,
    /// Started on the machine.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Stopped at its deadline.
    TimedOut,
    /// Sent, but no result came before the deadline.
    NoAnswer,
    /// The machine was not there before the deadline.
    NeverDispatched,
    /// Cancelled.
    Cancelled,
}

impl TaskState {
    /// Whether nothing more happens to the task.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Dispatched | Self::Running)
    }
}

/// An operation: one command on many machines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewOperation {
    /// The call's context: actor, scope.
    pub context: crate::CallContext,
    /// The engine's command without prefix.
    pub command: String,
    /// Shown to people.
    pub title: String,
    /// Frozen targets, machine UUIDs. Checked against the actor's scope.
    pub machines: Vec<String>,
    /// Payload for every machine.
    pub payload: Value,
    /// Secrets to resolve at dispatch: JSON pointer into the payload -> secret name. Never stored resolved.
    pub secrets: Vec<(String, String)>,
    /// Seconds a task may run; 0 for the manifest's.
    pub timeout_s: u32,
    /// Seconds a task waits for its machine; 0 for the host's default.
    pub queue_timeout_s: u32,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: u32,
    /// The same key never makes two operations.
    pub idempotency_key: Option<String>,
}

/// An operation's id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationId {
    /// UUID.
    pub id: String,
}

/// An operation with its counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Operation {
    /// UUID.
    pub id: String,
    /// Shown to people.
    pub title: String,
    /// Whether every task is final.
    pub finished: bool,
    /// Tasks by state.
    pub counts: std::collections::BTreeMap<TaskState, u64>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When its last task ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Tasks of an operation, ordered by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TasksRequest {
    /// Operation UUID.
    pub operation_id: String,
    /// Continue after this task id.
    pub after: Option<String>,
    /// At most so many; 0 for the host's maximum.
    pub limit: u32,
}

/// A task on one machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// UUID.
    pub id: String,
    /// Operation UUID.
    pub operation_id: String,
    /// Machine UUID.
    pub machine_id: String,
    /// Machine's name.
    pub machine_name: String,
    /// State.
    pub state: TaskState,
    /// Result of the command, null before.
    pub result: Value,
    /// Why it failed.
    pub error: Option<crate::EngineError>,
    /// When it was sent.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Task this one retries.
    pub retry_of: Option<String>,
}

/// Asks for output after a sequence number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OutputRequest {
    /// Task UUID.
    pub task_id: String,
    /// Continue after this sequence number; 0 from the start.
    pub after: u64,
    /// At most so many bytes; 0 for the host's maximum.
    pub limit_bytes: u32,
}

/// A piece of output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutputChunk {
    /// Sequence number within the task, from 1.
    pub seq: u64,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// Bytes, base64.
    pub data_base64: String,
}

/// Output of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Output {
    /// Chunks in order.
    pub chunks: Vec<OutputChunk>,
    /// Whether the task is final and nothing follows.
    pub complete: bool,
    /// Whether the host's limit cut it.
    pub truncated: bool,
}

/// Cancels an operation or some of its tasks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CancelRequest {
    /// The call's context.
    pub context: crate::CallContext,
    /// Operation UUID.
    pub operation_id: String,
    /// Tasks; empty for all.
    pub tasks: Vec<String>,
}

/// Runs tasks again as a new operation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RetryRequest {
    /// The call's context.
    pub context: crate::CallContext,
    /// Operation UUID.
    pub operation_id: String,
    /// Tasks; empty for those in `states`.
    pub tasks: Vec<String>,
    /// States to retry; empty for every final state but succeeded.
    pub states: Vec<TaskState>,
}

/// A task of the engine changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskEvent {
    /// The task as it is now.
    pub task: Task,
    /// Whether the whole operation is finished now.
    pub operation_finished: bool,
}
