//! The example engine in a test host.

#![allow(clippy::unwrap_used)]

mod agent;
mod conformance;
mod routes;
mod service;
