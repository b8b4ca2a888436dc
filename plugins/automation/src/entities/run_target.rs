//! Table `automation_run_targets`: a machine of a run, with its result.

use sea_orm::entity::prelude::*;

/// A machine of a run, with its result.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_run_targets")]
pub struct Model {
    /// UUID v7; the order of targets.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Run.
    pub run_id: Uuid,
    /// Machine.
    pub machine_id: Uuid,
    /// Name of the machine when the run was made.
    pub machine_name: String,
    /// Task of the host.
    pub task_id: Option<String>,
    /// State of the task.
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
    /// Digest of exit and output, equal for equal output.
    pub digest: Option<String>,
    /// Stable code of what went wrong.
    pub error_code: Option<String>,
    /// Sentence of what went wrong.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_message: Option<String>,
    /// When it was sent.
    pub dispatched_at: Option<DateTimeUtc>,
    /// When it began.
    pub started_at: Option<DateTimeUtc>,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
