//! Service `jobs`: timers that outlive a restart. Methods `schedule` ([`JobSpec`]), `cancel` ([`JobKey`]),
//! `list` (answer `Vec<JobSpec>`). When due the engine receives [`super::host_calls::JOB`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A timer. Scheduling the same key again replaces it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSpec {
    /// Unique within the engine, e.g. a schedule's id.
    pub key: String,
    /// Job name the engine answers to.
    pub name: String,
    /// When it runs next.
    pub at: Option<DateTime<Utc>>,
    /// Repeat every so many seconds after `at`; 0 for once. Calendar rules: schedule the next run in the job.
    pub every_s: u64,
    /// Handed back when due.
    pub payload: Value,
}

/// A timer's key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct JobKey {
    /// Key.
    pub key: String,
}

/// A timer is due. At least once: `run_id` is the same on a repeat after a crash.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobCall {
    /// Key.
    pub key: String,
    /// Job name.
    pub name: String,
    /// Id of this run.
    pub run_id: String,
    /// When it was due.
    pub due_at: Option<DateTime<Utc>>,
    /// As scheduled.
    pub payload: Value,
}
