//! Counts what runs, so that draining can wait for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use plugin_api::services::host_calls;
use tokio::sync::Notify;

/// Requests, calls and streaming bodies that have not ended.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<State>);

#[derive(Default)]
struct State {
    running: AtomicUsize,
    idle: Notify,
}

/// One of those counted; dropping it ends it.
pub(crate) struct InFlight(Arc<State>);

impl Counter {
    pub(crate) fn enter(&self) -> InFlight {
        self.0.running.fetch_add(1, Ordering::AcqRel);
        InFlight(self.0.clone())
    }

    /// Draining waits for everything but itself.
    pub(crate) fn enter_unless_draining(&self, method: &str) -> Option<InFlight> {
        (method != host_calls::DRAIN).then(|| self.enter())
    }

    /// Resolves when nothing runs.
    pub(crate) async fn idle(&self) {
        loop {
            let notified = self.0.idle.notified();
            if self.0.running.load(Ordering::Acquire) == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
