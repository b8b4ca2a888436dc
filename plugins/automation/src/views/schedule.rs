//! Schedules as shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    entities::schedule,
    model::rule::{Missed, Overlap, Rule},
};

/// A schedule of a script.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ScheduleView {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// Script.
    pub script_id: Uuid,
    /// Version; the newest at each run when absent.
    pub version: Option<i32>,
    /// Rule.
    pub rule: Option<Rule>,
    /// Selector, evaluated at each run.
    pub selector: String,
    /// Machines, frozen.
    pub machine_ids: Vec<Uuid>,
    /// Values as given.
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: i32,
    /// Seconds a task may run; 0 for the version's.
    pub timeout_s: i32,
    /// Seconds a task waits for its machine; 0 for the host's default.
    pub queue_timeout_s: i32,
    /// What happens when the run before has not ended.
    pub overlap: Overlap,
    /// What happens with runs missed while the host was away.
    pub missed: Missed,
    /// Whether it runs.
    pub enabled: bool,
    /// Who it runs for.
    pub owner: String,
    /// Name of who it runs for.
    pub owner_name: String,
    /// When it runs next.
    pub next_at: Option<DateTime<Utc>>,
    /// Whether a due run waits for the one before.
    pub waiting: bool,
    /// Its last run.
    pub last_run_id: Option<Uuid>,
    /// When it was last due.
    pub last_due_at: Option<DateTime<Utc>>,
    /// What became of it: `started`, `skipped_overlap`, `skipped_missed`, `queued` or `failed: ...`.
    pub last_outcome: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last saved.
    pub updated_at: DateTime<Utc>,
}

impl From<schedule::Model> for ScheduleView {
    fn from(m: schedule::Model) -> Self {
        Self {
            id: m.id,
            name: m.name,
            script_id: m.script_id,
            version: m.version,
            rule: serde_json::from_str(&m.rule).ok(),
            selector: m.selector,
            machine_ids: serde_json::from_str(&m.machine_ids).unwrap_or_default(),
            parameters: serde_json::from_str(&m.parameters).unwrap_or_default(),
            concurrency: m.concurrency,
            timeout_s: m.timeout_s,
            queue_timeout_s: m.queue_timeout_s,
            overlap: Overlap::parse(&m.overlap).unwrap_or_default(),
            missed: Missed::parse(&m.missed).unwrap_or_default(),
            enabled: m.enabled,
            owner: m.principal,
            owner_name: m.actor_name,
            next_at: m.next_at,
            waiting: m.waiting.is_some(),
            last_run_id: m.last_run_id,
            last_due_at: m.last_due_at,
            last_outcome: m.last_outcome,
            created_at: m.created_at,
            updated_at: m.updated_at,
        }
    }
}
