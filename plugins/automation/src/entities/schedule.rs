//! Table `automation_schedules`: a schedule of a script.

use sea_orm::entity::prelude::*;

/// A schedule of a script.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_schedules")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// Script.
    pub script_id: Uuid,
    /// Version; the newest at each run when absent.
    pub version: Option<i32>,
    /// JSON of the rule.
    #[sea_orm(column_type = "Text")]
    pub rule: String,
    /// Selector, evaluated at each run; empty when machines are named.
    #[sea_orm(column_type = "Text")]
    pub selector: String,
    /// JSON list of machine ids.
    #[sea_orm(column_type = "Text")]
    pub machine_ids: String,
    /// JSON of the values as given.
    #[sea_orm(column_type = "Text")]
    pub parameters: String,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: i32,
    /// Seconds a task may run; 0 for the version's.
    pub timeout_s: i32,
    /// Seconds a task waits for its machine; 0 for the host's default.
    pub queue_timeout_s: i32,
    /// `skip` or `queue`.
    pub overlap: String,
    /// `skip` or `run_once`.
    pub missed: String,
    /// Whether it runs.
    pub enabled: bool,
    /// Actor it runs for.
    pub actor: String,
    /// Name of the actor.
    pub actor_name: String,
    /// Principal it runs for.
    pub principal: String,
    /// Scope of the actor when the schedule was last saved.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
    /// JSON list of the actor's roles when the schedule was last saved.
    #[sea_orm(column_type = "Text")]
    pub roles: String,
    /// When it runs next.
    pub next_at: Option<DateTimeUtc>,
    /// Job run that waits for the run before to end.
    pub waiting: Option<String>,
    /// Its last run.
    pub last_run_id: Option<Uuid>,
    /// When it was last due.
    pub last_due_at: Option<DateTimeUtc>,
    /// What became of it: `started`, `skipped_overlap`, `skipped_missed`, `queued` or `failed: ...`.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_outcome: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last saved.
    pub updated_at: DateTimeUtc,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
