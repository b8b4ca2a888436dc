//! Permissions of the engine, as `plugin.toml` lists them.

/// See scripts that are shared with one.
pub const SCRIPTS_READ: &str = "automation:scripts:read";
/// Make scripts, and change one's own.
pub const SCRIPTS_WRITE: &str = "automation:scripts:write";
/// Run scripts.
pub const SCRIPTS_RUN: &str = "automation:scripts:run";
/// See and change the scripts, runs and schedules of everybody.
pub const SCRIPTS_MANAGE: &str = "automation:scripts:manage";
/// See runs and their output.
pub const RUNS_READ: &str = "automation:runs:read";
/// Cancel runs.
pub const RUNS_CANCEL: &str = "automation:runs:cancel";
/// Decide on runs of privileged scripts asked for by others.
pub const RUNS_APPROVE: &str = "automation:runs:approve";
/// See schedules.
pub const SCHEDULES_READ: &str = "automation:schedules:read";
/// Make schedules, and change one's own.
pub const SCHEDULES_WRITE: &str = "automation:schedules:write";
