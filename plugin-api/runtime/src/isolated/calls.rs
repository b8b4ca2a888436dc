//! What runs in an engine's process, by number.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use plugin_api::EngineError;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::wire::flow::{Credit, Inflow};
use crate::wire::frame::Blob;
use crate::{Body, problem};

/// A request's body on its way to the worker. Dropping it ends the transfer.
pub(crate) struct Upload {
    pub(crate) credit: Arc<Credit>,
    pub(crate) _stop: oneshot::Sender<()>,
}

/// A request or call that the worker has.
pub(crate) enum Entry {
    /// A request that has no answer yet.
    Head(oneshot::Sender<Result<Response<Body>, EngineError>>, Option<Upload>),
    /// A request whose answer streams.
    Body(Inflow, Option<Upload>),
    /// A call.
    Call(oneshot::Sender<Result<Blob, EngineError>>),
    /// Cancelled at this time; the worker has to let go of it.
    Cancelled(Instant),
}

/// Why nothing can be added.
pub(crate) enum Full {
    /// The process has ended.
    Ended,
    /// Too many run.
    TooMany,
}

/// Everything that runs.
#[derive(Default)]
pub(crate) struct Calls {
    entries: HashMap<u64, Entry>,
    next: u64,
    ended: bool,
}

impl Calls {
    /// Add one; gives its number.
    pub(crate) fn add(&mut self, entry: Entry, limit: usize) -> Result<u64, Full> {
        if self.ended {
            return Err(Full::Ended);
        }
        if self.entries.len() >= limit {
            return Err(Full::TooMany);
        }
        self.next += 1;
        self.entries.insert(self.next, entry);
        Ok(self.next)
    }

    pub(crate) fn put(&mut self, id: u64, entry: Entry) {
        self.entries.insert(id, entry);
    }

    pub(crate) fn take(&mut self, id: u64) -> Option<Entry> {
        self.entries.remove(&id)
    }

    /// Mark as cancelled; false when it had ended or was cancelled already.
    pub(crate) fn cancel(&mut self, id: u64) -> bool {
        match self.entries.get_mut(&id) {
            None | Some(Entry::Cancelled(_)) => false,
            Some(entry) => {
                *entry = Entry::Cancelled(Instant::now());
                true
            }
        }
    }

    /// A piece of an answer; false when the worker broke the rules.
    pub(crate) fn chunk(&mut self, id: u64, data: Bytes) -> bool {
        match self.entries.get(&id) {
            Some(Entry::Body(inflow, _)) => inflow.push(data).is_ok(),
            Some(Entry::Cancelled(_)) | None => true,
            Some(Entry::Head(..) | Entry::Call(_)) => false,
        }
    }

    /// The transfer of a request's body.
    pub(crate) fn upload(&mut self, id: u64) -> Option<&mut Option<Upload>> {
        match self.entries.get_mut(&id)? {
            Entry::Head(_, upload) | Entry::Body(_, upload) => Some(upload),
            Entry::Call(_) | Entry::Cancelled(_) => None,
        }
    }

    /// Whether a cancelled one was not let go of within `limit`.
    pub(crate) fn stuck(&self, limit: Duration) -> bool {
        self.entries.values().any(|e| matches!(e, Entry::Cancelled(at) if at.elapsed() > limit))
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.ended
    }

    /// The process has ended: fail everything it had.
    pub(crate) fn fail(&mut self, report: &str) {
        self.ended = true;
        for entry in std::mem::take(&mut self.entries).into_values() {
            match entry {
                Entry::Head(answer, _) => drop(answer.send(Err(problem::crashed(report)))),
                Entry::Call(answer) => drop(answer.send(Err(problem::crashed(report)))),
                Entry::Body(inflow, _) => inflow.end(Some(problem::crashed(report).message)),
                Entry::Cancelled(_) => {}
            }
        }
    }
}
