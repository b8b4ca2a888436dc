//! Payloads of the services, by slice. All JSON; every struct grows by `#[serde(default)]`.
//!
//! Engine to host: `Service::call(method, payload)` on the service named like its [`crate::Capability`].
//! Host to engine: `ServerEngine::call` / `AgentEngine::call` with the names in [`host_calls`].

pub mod audit;
pub mod engines;
pub mod events;
pub mod fetch;
pub mod files;
pub mod host_calls;
pub mod jobs;
pub mod license;
pub mod licenses;
pub mod machines;
pub mod notify;
pub mod operations;
pub mod reports;
pub mod secrets;
pub mod settings;
