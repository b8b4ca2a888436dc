//! Licence management: coverage, lapse, machines used, notices, renewal without a network, and a ledger that both sides can check.

mod engine;
mod entities;
mod error;
mod events;
mod jobs;
mod migrations;
mod model;
mod permissions;
mod routes;
mod service;
mod store;

pub use engine::ProplusCore;
pub use model::chain::{Checked, check_export};

plugin_sdk::export_engine!(ProplusCore);
