//! An engine that fails on demand. The README lists how.

mod commands;
mod engine;
mod faults;
mod routes;
mod sql;
mod variant;

pub use engine::Misbehaving;
pub use sql::ATTEMPTS;

plugin_sdk::export_engine!(Misbehaving);
