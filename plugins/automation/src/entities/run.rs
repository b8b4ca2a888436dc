//! Table `automation_runs`: a run of a script on frozen targets.

use sea_orm::entity::prelude::*;

/// A run of a script on frozen targets.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_runs")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// Version of the script.
    pub version_id: Uuid,
    /// Number of the version.
    pub version_number: i32,
    /// Name of the script when the run was made.
    pub script_name: String,
    /// State; see `RunState`.
    pub state: String,
    /// Whether the script is only checked, not run.
    pub check_only: bool,
    /// Operation of the host, once handed over.
    pub operation_id: Option<String>,
    /// Actor of the call that made it.
    pub actor: String,
    /// Name of the actor.
    pub actor_name: String,
    /// Who answers for it; two runs of one person have one principal.
    pub principal: String,
    /// Scope of the actor when the run was made.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
    /// Request that made it.
    pub request_id: String,
    /// Selector the targets came from; empty when machines were named.
    #[sea_orm(column_type = "Text")]
    pub selector: String,
    /// JSON of the checked values; secrets by name.
    #[sea_orm(column_type = "Text")]
    pub parameters: String,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: i32,
    /// Seconds a task may run.
    pub timeout_s: i32,
    /// Seconds a task waits for its machine; 0 for the host's default.
    pub queue_timeout_s: i32,
    /// Start of the window.
    pub not_before: Option<DateTimeUtc>,
    /// End of the window.
    pub not_after: Option<DateTimeUtc>,
    /// Run this one retries.
    pub retry_of: Option<Uuid>,
    /// Schedule that made it.
    pub schedule_id: Option<Uuid>,
    /// Principal and key, so that a repeated request makes no second run.
    #[sea_orm(unique)]
    pub idempotency: Option<String>,
    /// Digest of the request, so that a key is not used for another.
    pub request_digest: String,
    /// Frozen targets.
    pub targets: i64,
    /// Tasks queued.
    pub queued: i64,
    /// Tasks dispatched.
    pub dispatched: i64,
    /// Tasks running.
    pub running: i64,
    /// Tasks succeeded.
    pub succeeded: i64,
    /// Tasks failed.
    pub failed: i64,
    /// Tasks timed out.
    pub timed_out: i64,
    /// Tasks without an answer.
    pub no_answer: i64,
    /// Tasks never dispatched.
    pub never_dispatched: i64,
    /// Tasks cancelled.
    pub cancelled: i64,
    /// Why it was refused or rejected.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was handed to the host.
    pub started_at: Option<DateTimeUtc>,
    /// When its last task ended.
    pub finished_at: Option<DateTimeUtc>,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
