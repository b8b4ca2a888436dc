//! The engine's private tokio runtime: timers, sockets, child processes and `tokio::spawn`.
//!
//! The host polls an engine's futures with its own runtime, which the engine's copy of tokio cannot see.
//! So the SDK keeps one worker thread, named after the engine, and enters its context around every poll:
//! `tokio::time::sleep`, `tokio::spawn` and sockets work as usual, while handlers still run on the host's
//! threads. With [`RuntimeUse::Always`] the thread starts with the engine's first own code; with
//! [`RuntimeUse::OnDemand`] it starts with the first call of [`Runtime::handle`] or [`Runtime::spawn`], and
//! an engine that never asks pays for no thread and no context switch.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use tokio::{
    runtime::{Builder, EnterGuard, Handle},
    task::JoinHandle,
};
use tracing::Dispatch;

use crate::guard;

/// When the private runtime starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeUse {
    /// With the engine's first own code: tokio works everywhere.
    Always,
    /// When [`Runtime::handle`] or [`Runtime::spawn`] is first called; tokio panics before that.
    OnDemand,
}

/// Handle of the private runtime. Cheap to clone; the last one shuts the runtime down without waiting.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    name: String,
    usage: RuntimeUse,
    dispatch: Dispatch,
    started: OnceLock<Option<tokio::runtime::Runtime>>,
}

impl Runtime {
    pub(crate) fn new(engine: &str, usage: RuntimeUse, dispatch: Dispatch) -> Self {
        // Linux shows 15 bytes of a thread's name.
        let name = engine.chars().take(15).collect();
        Self(Arc::new(Inner { name, usage, dispatch, started: OnceLock::new() }))
    }

    /// The runtime's handle, starting it when needed. `None` when the system refuses a thread or descriptors.
    pub fn handle(&self) -> Option<&Handle> {
        self.0.started.get_or_init(|| self.0.start()).as_ref().map(tokio::runtime::Runtime::handle)
    }

    /// Run a task of the engine's own. It ends with the engine; it holds no request.
    pub fn spawn<F>(&self, future: F) -> Option<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle().map(|handle| handle.spawn(future))
    }

    pub(crate) fn enter(&self) -> Option<EnterGuard<'_>> {
        match self.0.usage {
            RuntimeUse::Always => self.handle().map(Handle::enter),
            RuntimeUse::OnDemand => self.0.started.get()?.as_ref().map(|runtime| runtime.enter()),
        }
    }
}

impl Inner {
    fn start(&self) -> Option<tokio::runtime::Runtime> {
        let dispatch = self.dispatch.clone();
        let built = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(8)
            .thread_name(&self.name)
            .on_thread_start(move || {
                guard::adopt_thread();
                // The thread logs to the engine's sink for as long as it lives.
                std::mem::forget(tracing::dispatcher::set_default(&dispatch));
            })
            .enable_all()
            .build();
        built.inspect_err(|e| tracing::error!(error = %e, "the engine's private runtime does not start")).ok()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(Some(runtime)) = self.started.take() {
            runtime.shutdown_background();
        }
    }
}
