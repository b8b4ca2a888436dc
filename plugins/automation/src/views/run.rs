//! Runs and results as shown.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    entities::{run, run_target},
    model::{
        run_state::{TASK_STATES, task_state_name},
        values::{Bound, Values},
    },
    store,
};

/// A run of a script on frozen targets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunView {
    /// Id.
    pub id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// Name of the script when the run was made.
    pub script_name: String,
    /// Version of the script.
    pub version: i32,
    /// State.
    pub state: String,
    /// Whether only the syntax is checked.
    pub check: bool,
    /// Operation of the host, once it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Who made it.
    pub actor: String,
    /// Name of who made it.
    pub actor_name: String,
    /// Selector the targets came from.
    pub selector: String,
    /// Values by parameter; secrets as `{"secret": "name"}`.
    pub parameters: BTreeMap<String, Bound>,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: i32,
    /// Seconds a task may run.
    pub timeout_s: i32,
    /// Seconds a task waits for its machine; 0 for the host's default.
    pub queue_timeout_s: i32,
    /// Start of its window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// End of its window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<DateTime<Utc>>,
    /// Run it retries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<Uuid>,
    /// Schedule that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<Uuid>,
    /// Frozen targets.
    pub targets: i64,
    /// Targets by state, each state named.
    pub counts: BTreeMap<String, u64>,
    /// Why it was refused, rejected or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was handed to the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    /// The approval it needs or had; shown for a single run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<Uuid>,
}

impl From<run::Model> for RunView {
    fn from(m: run::Model) -> Self {
        let counts = store::runs::counts(&m);
        let counts = TASK_STATES
            .into_iter()
            .map(|s| (task_state_name(s).to_owned(), counts.get(&s).copied().unwrap_or(0)))
            .collect();
        Self {
            id: m.id,
            script_id: m.script_id,
            script_name: m.script_name,
            version: m.version_number,
            state: m.state,
            check: m.check_only,
            operation_id: m.operation_id,
            actor: m.actor,
            actor_name: m.actor_name,
            selector: m.selector,
            parameters: serde_json::from_str::<Values>(&m.parameters).unwrap_or_default(),
            concurrency: m.concurrency,
            timeout_s: m.timeout_s,
            queue_timeout_s: m.queue_timeout_s,
            not_before: m.not_before,
            not_after: m.not_after,
            retry_of: m.retry_of,
            schedule_id: m.schedule_id,
            targets: m.targets,
            counts,
            reason: m.reason,
            created_at: m.created_at,
            started_at: m.started_at,
            finished_at: m.finished_at,
            approval_id: None,
        }
    }
}

/// What became of a run on one machine.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ResultView {
    /// Id, for the cursor.
    pub id: Uuid,
    /// Machine.
    pub machine_id: Uuid,
    /// Name of the machine when the run was made.
    pub machine_name: String,
    /// State: `queued`, `dispatched`, `running`, `succeeded`, `failed`, `timed_out`, `no_answer`, `never_dispatched`
    /// or `cancelled`.
    pub state: String,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// Milliseconds it ran.
    pub duration_ms: Option<i64>,
    /// Bytes written to standard output.
    pub stdout_bytes: Option<i64>,
    /// Bytes written to standard error.
    pub stderr_bytes: Option<i64>,
    /// Whether a limit cut the output.
    pub truncated: bool,
    /// Equal for machines with equal output.
    pub digest: Option<String>,
    /// Stable code of what went wrong.
    pub error_code: Option<String>,
    /// Sentence of what went wrong.
    pub error_message: Option<String>,
    /// When it was sent.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<run_target::Model> for ResultView {
    fn from(m: run_target::Model) -> Self {
        Self {
            id: m.id,
            machine_id: m.machine_id,
            machine_name: m.machine_name,
            state: m.state,
            exit_code: m.exit_code,
            signal: m.signal,
            duration_ms: m.duration_ms,
            stdout_bytes: m.stdout_bytes,
            stderr_bytes: m.stderr_bytes,
            truncated: m.truncated,
            digest: m.digest,
            error_code: m.error_code,
            error_message: m.error_message,
            dispatched_at: m.dispatched_at,
            started_at: m.started_at,
            finished_at: m.finished_at,
        }
    }
}

/// Machines with the same outcome and the same output.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GroupView {
    /// State.
    pub state: String,
    /// Digest of exit and output; absent without a result.
    pub digest: Option<String>,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// What went wrong.
    pub error_code: Option<String>,
    /// How many machines.
    pub count: i64,
    /// The first machines; the rest by `GET .../results?digest=`.
    pub machines: Vec<GroupMachine>,
    /// Beginning of the text they share.
    pub sample: Option<String>,
}

/// A machine of a group.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GroupMachine {
    /// Machine.
    pub id: Uuid,
    /// Name.
    pub name: String,
}
