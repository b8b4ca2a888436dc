//! Rows of the engine's tables. Nothing outside `store` sees them.

pub mod approval;
pub mod run;
pub mod run_target;
pub mod schedule;
pub mod script;
pub mod script_change;
pub mod script_share;
pub mod script_version;
