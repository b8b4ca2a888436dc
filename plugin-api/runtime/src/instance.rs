//! A running server half, as the host sees it: one trait for both modes.

use std::time::Duration;

use futures_util::future::BoxFuture;
use plugin_api::description::Description;
use plugin_api::{CallContext, EngineError};
use tokio::sync::watch;

use crate::{Body, Refusal};

/// Where an engine's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In this process.
    InProcess,
    /// In a child process, confined by the kernel.
    Isolated,
}

/// What an instance is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceState {
    /// It answers.
    Running,
    /// Its process died; another starts after the back-off. Calls wait for it until their deadline, at most
    /// [`crate::IsolatedOptions::wait_for_restart`].
    Restarting {
        /// How often it died within the window.
        crashes: u32,
        /// How it died last.
        report: String,
    },
    /// It died too often and is not started again.
    Quarantined {
        /// How it died last.
        report: String,
    },
    /// Shut down on request.
    Stopped,
}

/// Counters since the instance started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Requests and calls begun.
    pub started: u64,
    /// Requests and calls that run now, streaming answers included.
    pub in_flight: u64,
    /// Those that ended past their deadline.
    pub timed_out: u64,
    /// Panics that reached the runtime.
    pub panicked: u64,
    /// Times the child process died.
    pub crashed: u64,
}

/// A running server half. Cheap calls, safe from many tasks at once.
pub trait EngineInstance: Send + Sync + 'static {
    /// Serve one request; `request.uri()` is the path below the engine's prefix, with query. Never fails: what goes
    /// wrong is a problem+json answer (500 `engine_panicked`, 503 `engine_crashed` or `engine_unavailable`, 504
    /// `deadline_exceeded`). The deadline is `context.deadline_unix_ms`, else the options' default, and counts until
    /// the head of the answer; bodies stream at the reader's pace. Dropping the future or the body cancels.
    fn handle<'a>(
        &'a self,
        request: http::Request<Body>,
        context: &'a CallContext,
    ) -> BoxFuture<'a, http::Response<Body>>;

    /// Call a method of [`plugin_api::services::host_calls`].
    ///
    /// # Errors
    /// The engine's own, or `engine_panicked`, `engine_crashed`, `engine_unavailable`, `deadline_exceeded`.
    fn call<'a>(
        &'a self,
        method: &'a str,
        payload: Vec<u8>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Vec<u8>, EngineError>>;

    /// What the engine says of itself; compared with the signed manifest already.
    fn description(&self) -> &Description;

    /// Where it runs.
    fn mode(&self) -> Mode;

    /// Counters.
    fn stats(&self) -> Stats;

    /// State, with changes.
    fn state(&self) -> watch::Receiver<InstanceState>;

    /// Wait at most `grace` until nothing runs (calls that come meanwhile are still served, so replace the instance
    /// first), then refuse new calls, cut off what still runs, and stop.
    fn shutdown(&self, grace: Duration) -> BoxFuture<'_, ()>;
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The library cannot be loaded or lies.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The engine's own constructor failed.
    #[error("the engine did not start: {0}")]
    Engine(#[from] EngineError),
    /// It did not start in time.
    #[error("the engine did not start within {0:?}")]
    Deadline(Duration),
    /// Its process could not be started.
    #[error("the engine's process could not be started: {0}")]
    Process(#[source] std::io::Error),
    /// Its process died while starting.
    #[error("the engine's process died while it started: {0}")]
    Crashed(String),
    /// Isolated mode needs Linux.
    #[error("isolated mode is not available on this system; use the in-process mode")]
    IsolationUnavailable,
}

impl StartError {
    /// Stable snake_case code.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(r) => r.code(),
            Self::Engine(e) => &e.code,
            Self::Deadline(_) => "start_timeout",
            Self::Process(_) => "process_failed",
            Self::Crashed(_) => "engine_crashed",
            Self::IsolationUnavailable => "isolation_unavailable",
        }
    }
}
