//! Methods the host (and agent) call on an engine.

/// Payload [`Migrations`]; answer `Vec<MigrationScript>`.
pub const MIGRATIONS: &str = "migrations";
/// Empty payload; an error says the version must not go live. Runs after migrations, before routes.
pub const SELF_TEST: &str = "self_test";
/// Empty payload; answer [`Health`]. Asked during the health window and for the console.
pub const HEALTH: &str = "health";
/// Empty payload; finish what runs, start nothing. Answered when drained.
pub const DRAIN: &str = "drain";
/// Payload [`super::events::Event`]; empty answer.
pub const EVENT: &str = "event";
/// Payload [`super::jobs::JobCall`]; empty answer.
pub const JOB: &str = "job";
/// Payload [`super::operations::TaskEvent`]; empty answer. At least once, in order per task.
pub const TASK_EVENT: &str = "task_event";
/// Payload [`super::engines::EngineCall`]; the answer is the callee's.
pub const ENGINE_CALL: &str = "engine_call";
/// Payload [`super::reports::DatasetQuery`]; answer [`super::reports::Dataset`].
pub const DATASET: &str = "dataset";
/// Empty payload; the licence changed: ask for a proof again.
pub const LICENSE_CHANGED: &str = "license_changed";

use serde::{Deserialize, Serialize};

/// Asks for the migrations in a dialect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Migrations {
    /// Dialect.
    pub backend: crate::abi::SqlBackend,
}

/// An engine's view of its own health.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Whether it can do its work.
    pub healthy: bool,
    /// Why not, or a remark.
    pub message: String,
}
