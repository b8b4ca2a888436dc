//! The automation engine in a test host, and its agent half with real interpreters.

#![allow(clippy::unwrap_used)]

mod agent;
mod conformance;
mod plans;
mod routes;
mod service;
mod world;
