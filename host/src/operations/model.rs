//! Operations and tasks as the API shows them, and as callers ask for them.

use std::collections::BTreeMap;

use base64::Engine as _;
use chrono::{DateTime, Utc};
use plugin_api::services::operations::TaskState;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    entity::{operation, output, task},
    reach::Reach,
    state,
};

/// Which machines an operation runs on. Frozen when it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// These.
    Machines(Vec<Uuid>),
    /// Those a selector matches now.
    Selector(String),
}

/// An operation to create.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// `core.<name>` or `<engine>.<name>`.
    pub command: String,
    /// Shown to people.
    pub title: String,
    /// Engine id and exact version that handles the command; `None` for the core's.
    pub engine: Option<(String, String)>,
    /// Machines.
    pub targets: Targets,
    /// Selector that limits the machines further (the actor's scope); `None` takes it from the context.
    pub scope: Option<String>,
    /// Payload for every machine.
    pub payload: Value,
    /// Secrets to resolve at dispatch: JSON pointer into the payload -> secret name.
    pub secrets: Vec<(String, String)>,
    /// Seconds a task may run, 0 for the default.
    pub timeout_s: u32,
    /// Seconds a task waits for its machine, 0 for the default.
    pub queue_timeout_s: u32,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: u32,
    /// The same key never makes two operations.
    pub idempotency_key: Option<String>,
}

impl NewOperation {
    /// A core command with defaults.
    pub fn core(command: &str, title: impl Into<String>, targets: Targets) -> Self {
        Self {
            command: command.into(),
            title: title.into(),
            engine: None,
            targets,
            scope: None,
            payload: Value::Object(Default::default()),
            secrets: Vec::new(),
            timeout_s: 0,
            queue_timeout_s: 0,
            concurrency: 0,
            idempotency_key: None,
        }
    }
}

/// An operation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Id.
    pub id: Uuid,
    /// `core.<name>` or `<engine>.<name>`.
    pub command: String,
    /// Shown to people.
    pub title: String,
    /// Who made it, e.g. `user:<uuid>`.
    pub actor: String,
    /// Name of who made it.
    pub actor_name: String,
    /// Request that made it.
    pub request_id: String,
    /// Engine that owns the command.
    pub engine: Option<String>,
    /// Selector the targets came from; empty when they were named.
    pub selector: String,
    /// Seconds a task may run.
    pub timeout_s: i32,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: i32,
    /// Number of tasks.
    pub total: i32,
    /// Tasks by state; states without tasks are absent.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub counts: BTreeMap<TaskState, u64>,
    /// Operation whose tasks this one runs again.
    pub retry_of: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Tasks whose machine did not come by then are never dispatched.
    pub start_by: DateTime<Utc>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When its last task ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Operation {
    /// The operation as one sees it who may see the counted tasks only. The selector could name other machines.
    pub(super) fn seen(row: operation::Model, counts: BTreeMap<TaskState, u64>, reach: &Reach) -> Self {
        let whole = Self::of(row, counts);
        if reach.is_all() {
            return whole;
        }
        let total = whole.counts.values().sum::<u64>().try_into().unwrap_or(i32::MAX);
        let open = whole.counts.iter().any(|(state, n)| !state.is_final() && *n > 0);
        let finished_at = whole.finished_at.filter(|_| !open);
        Self { total, finished_at, selector: String::new(), ..whole }
    }

    fn of(row: operation::Model, counts: BTreeMap<TaskState, u64>) -> Self {
        Self {
            id: row.id,
            command: row.command,
            title: row.title,
            actor: row.actor,
            actor_name: row.actor_name,
            request_id: row.request_id,
            engine: row.engine_id,
            selector: row.selector,
            timeout_s: row.timeout_s,
            concurrency: row.concurrency,
            total: row.total,
            counts,
            retry_of: row.retry_of,
            created_at: row.created_at,
            start_by: row.start_by,
            cancelled_at: row.cancelled_at,
            finished_at: row.finished_at,
        }
    }
}

/// Why a task did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskError {
    /// Stable snake_case code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// A task: one machine of an operation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// Id; also the id of the command on the machine.
    pub id: Uuid,
    /// Its operation.
    pub operation_id: Uuid,
    /// Its machine.
    pub machine_id: Uuid,
    /// The machine's name when the task was made.
    pub machine_name: String,
    /// State.
    #[schema(value_type = String)]
    pub state: TaskState,
    /// How often the command was sent.
    pub attempt: i32,
    /// Task this one runs again.
    pub retry_of: Option<Uuid>,
    /// Somebody asked to stop it.
    pub cancel_requested: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was first sent.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When the agent had it on disk.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it must have ended.
    pub deadline: Option<DateTime<Utc>>,
    /// What the command answered.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Why it did not succeed.
    pub error: Option<TaskError>,
    /// A result that came after the host had given up; the state stays.
    #[schema(value_type = Option<Object>)]
    pub late_result: Option<Value>,
    /// Stored chunks of output.
    pub output_chunks: i64,
    /// Stored bytes of output.
    pub output_bytes: i64,
    /// Whether the host's limit cut the output.
    pub output_truncated: bool,
}

impl From<task::Model> for Task {
    fn from(row: task::Model) -> Self {
        let error =
            row.error_code.map(|code| TaskError { code, message: row.error_message.unwrap_or_default() });
        Self {
            id: row.id,
            operation_id: row.operation_id,
            machine_id: row.machine_id,
            machine_name: row.machine_name,
            state: state::parse(&row.state).unwrap_or_default(),
            attempt: row.attempt,
            retry_of: row.retry_of,
            cancel_requested: row.cancel_requested,
            created_at: row.created_at,
            dispatched_at: row.dispatched_at,
            accepted_at: row.accepted_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            deadline: row.deadline,
            result: row.result,
            error,
            late_result: row.late_result,
            output_chunks: row.output_chunks,
            output_bytes: row.output_bytes,
            output_truncated: row.output_truncated,
        }
    }
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutputChunk {
    /// Number within the task, from 1.
    pub seq: i64,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// Bytes, base64.
    pub data_base64: String,
    /// The bytes as text; what is not UTF-8 is replaced.
    pub text: String,
    /// When the host stored it.
    pub at: DateTime<Utc>,
}

impl From<output::Model> for OutputChunk {
    fn from(row: output::Model) -> Self {
        Self {
            seq: row.seq,
            stream: row.stream,
            data_base64: base64::engine::general_purpose::STANDARD.encode(&row.data),
            text: String::from_utf8_lossy(&row.data).into_owned(),
            at: row.at,
        }
    }
}

/// Output of a task after a number.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaskOutput {
    /// Chunks in order.
    pub chunks: Vec<OutputChunk>,
    /// State of the task.
    #[schema(value_type = String)]
    pub state: TaskState,
    /// The task is final and nothing follows.
    pub complete: bool,
    /// The host's limit cut it.
    pub truncated: bool,
}
