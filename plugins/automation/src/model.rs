//! What automation is about, free of databases, HTTP and processes.

pub mod binding;
pub mod cron;
pub mod digest;
pub mod interpreter;
pub mod limits;
pub mod parameter;
pub mod rule;
pub mod run_state;
pub mod sharing;
pub mod values;
pub mod wire;
