//! One half of an engine that was created: the context in which all of its code runs.

use std::sync::Arc;

use plugin_api::abi::LogSinkBox;
use tracing::Dispatch;

use crate::{
    guard::{self, Panicked},
    logging,
    runtime::{Runtime, RuntimeUse},
};

/// Log destination and private runtime of a half.
pub(crate) struct Instance {
    /// Set when logging could not become the library's default: then each run selects it.
    dispatch: Option<Dispatch>,
    runtime: Runtime,
}

impl Instance {
    pub(crate) fn new(engine: &str, usage: RuntimeUse, log: LogSinkBox) -> Arc<Self> {
        guard::install_hook();
        let dispatch = logging::dispatch(log);
        let runtime = Runtime::new(engine, usage, dispatch.clone());
        let dispatch = match guard::is_exported() && logging::set_default(&dispatch) {
            true => None,
            false => Some(dispatch),
        };
        Arc::new(Self { dispatch, runtime })
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Run engine code: its log, its runtime, behind the guard.
    pub(crate) fn run<T>(&self, f: impl FnOnce() -> T) -> Result<T, Panicked> {
        let guarded = || {
            let _runtime = self.runtime.enter();
            guard::catch(f)
        };
        match &self.dispatch {
            None => guarded(),
            Some(dispatch) => tracing::dispatcher::with_default(dispatch, guarded),
        }
    }
}
