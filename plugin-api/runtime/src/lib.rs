//! Verifies engine packages, loads their libraries and calls them, in this process or in a child.
//!
//! Nothing reaches `dlopen` that was not verified in memory in the same call chain: [`Package::verify`] is the only
//! source of a [`Verified<Package>`], and only that can be loaded. [`start_in_process`] and [`start_isolated`] give
//! the host one trait object, [`EngineInstance`], whichever way the library runs.

mod abi_http;
mod adapters;
mod agent;
mod archive;
mod body;
mod conformance;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod fuzzing;
mod gauge;
mod in_process;
mod instance;
#[cfg_attr(not(target_os = "linux"), path = "isolated_elsewhere.rs")]
mod isolated;
mod library;
mod limits;
mod log;
mod options;
mod package;
mod problem;
mod refusal;
mod seal;
mod services;
mod verify;
#[cfg(target_os = "linux")]
mod wire;
pub mod worker;

pub use agent::{AgentInstance, AgentServices, Command, CommandIo, start_agent_half};
pub use body::{Body, BodyError};
pub use conformance::{ConformanceReport, ReportError};
pub use in_process::{InProcessOptions, start_in_process};
pub use instance::{EngineInstance, InstanceState, Mode, StartError, Stats};
pub use isolated::start_isolated;
pub use limits::Limits;
pub use log::TracingLog;
pub use options::IsolatedOptions;
pub use package::{Package, Verified};
pub use problem::problem;
pub use refusal::{Refusal, RefusalKind};
pub use services::{HostService, HostServices, LogRecord, LogSink, SqlService};
pub use verify::{Policy, Requirements, Side, TARGET};

/// Plain SQL data, as the contract defines it.
pub mod sql {
    pub use plugin_api::abi::{
        NO_TX, SqlBackend, SqlColumn, SqlDone, SqlRows, SqlStatement, SqlType, SqlValue, TxId,
    };
}
