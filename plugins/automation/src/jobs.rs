//! Names of the engine's timers.

use uuid::Uuid;

/// A schedule is due.
pub const RUN_SCHEDULE: &str = "run_schedule";
/// The window of a run opens.
pub const START_RUN: &str = "start_run";
/// Every minute.
pub const TICK: &str = "tick";
/// Every day.
pub const PRUNE: &str = "prune";

/// Every name.
pub const ALL: [&str; 4] = [RUN_SCHEDULE, START_RUN, TICK, PRUNE];

/// Key of a schedule's timer.
pub fn schedule_key(id: Uuid) -> String {
    format!("schedule:{id}")
}
