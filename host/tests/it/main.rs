//! The host, whole: each test has its own data directory, database, ports and clock.
#![allow(clippy::unwrap_used)]

mod access;
mod accounts;
mod agent_host;
mod audit;
mod backup;
mod catalogue;
mod config;
mod engines;
mod events;
mod gateway;
mod host;
mod http;
mod idempotency;
mod inventory;
mod license;
mod machines;
mod marketplace;
mod matrix;
mod metrics;
mod oidc;
mod operations;
mod plans;
mod scope;
mod selector;
mod stale;
mod tags;
