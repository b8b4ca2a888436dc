//! The example engine: notes, a greeting on machines, and routes to measure.

mod agent;
mod bench;
mod engine;
mod entities;
mod error;
mod events;
mod jobs;
mod migrations;
mod permissions;
mod routes;
mod service;
mod store;

pub use engine::Example;

plugin_sdk::export_engine!(Example);
