//! The automation engine: a script library, runs on many machines, approvals and schedules.
//!
//! `routes` translate, `service` decides, `store` queries; `agent` is the half that runs on machines; `model` is what
//! all of them talk about, free of databases, HTTP and processes.

pub mod agent;
mod engine;
mod entities;
mod error;
mod events;
mod jobs;
mod migrations;
pub mod model;
pub mod permissions;
mod routes;
pub mod service;
mod store;
mod views;

pub use engine::Automation;

plugin_sdk::export_engine!(Automation);
