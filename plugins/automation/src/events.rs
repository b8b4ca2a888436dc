//! Events of the engine, for the console's live views and for other engines. Topics never change.

use plugin_sdk::payloads::events::Event;
use serde_json::{Value, json};

use crate::{entities::run, permissions};

/// A script was made or changed.
pub const SCRIPT_CHANGED: &str = "automation.script.changed";
/// A run was made.
pub const RUN_CREATED: &str = "automation.run.created";
/// A run was handed to the host.
pub const RUN_STARTED: &str = "automation.run.started";
/// Counts of a run changed.
pub const RUN_PROGRESSED: &str = "automation.run.progressed";
/// A run ended, for whatever reason.
pub const RUN_FINISHED: &str = "automation.run.finished";
/// An approval was asked for.
pub const APPROVAL_REQUESTED: &str = "automation.approval.requested";
/// An approval was decided or lapsed.
pub const APPROVAL_DECIDED: &str = "automation.approval.decided";
/// A schedule was made, changed, removed or left a run out.
pub const SCHEDULE_CHANGED: &str = "automation.schedule.changed";

/// An event that readers of runs may see. It names no values and no output.
pub fn of_run(topic: &str, run: &run::Model) -> Event {
    let data = json!({
        "run_id": run.id,
        "script_id": run.script_id,
        "script_name": run.script_name,
        "state": run.state,
        "operation_id": run.operation_id,
        "schedule_id": run.schedule_id,
        "actor": run.actor,
        "targets": run.targets,
        "succeeded": run.succeeded,
        "failed": run.failed,
        "timed_out": run.timed_out,
        "no_answer": run.no_answer,
        "never_dispatched": run.never_dispatched,
        "cancelled": run.cancelled,
    });
    event(topic, permissions::RUNS_READ, data)
}

/// An event that holders of a permission may see.
pub fn event(topic: &str, permission: &str, data: Value) -> Event {
    Event { topic: topic.into(), machine_id: None, permission: Some(permission.into()), data }
}
