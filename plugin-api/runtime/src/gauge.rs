//! Counts what runs, so that an instance can drain.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{Body, BodyError, Stats};

/// How long nothing must have run before an instance counts as drained.
const MOMENT: Duration = Duration::from_millis(50);

/// Counters of an instance.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    started: AtomicU64,
    in_flight: AtomicU64,
    timed_out: AtomicU64,
    panicked: AtomicU64,
    crashed: AtomicU64,
    draining: AtomicBool,
    closed: AtomicBool,
    ended: Notify,
    cut: CancellationToken,
}

/// One request or call that runs; ends when dropped.
#[derive(Debug)]
pub(crate) struct Running(Arc<Gauge>);

impl Drop for Running {
    fn drop(&mut self) {
        let left = self.0.in_flight.fetch_sub(1, SeqCst) - 1;
        if left == 0 && self.0.draining.load(SeqCst) {
            self.0.ended.notify_waiters();
        }
    }
}

impl Gauge {
    /// Begin one, unless closed.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Running> {
        self.in_flight.fetch_add(1, SeqCst);
        let running = Running(self.clone());
        if self.closed.load(SeqCst) {
            return None;
        }
        self.started.fetch_add(1, Relaxed);
        Some(running)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    /// Wait until nothing has run for a moment, at most `grace`; then begin nothing more and cut off what still runs.
    /// What begins meanwhile is served: a caller may have looked the instance up just before it was replaced.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.draining.store(true, SeqCst);
        let drained = async {
            loop {
                self.idle().await;
                tokio::time::sleep(MOMENT).await;
                if self.in_flight.load(SeqCst) == 0 {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(grace, drained).await;
        self.closed.store(true, SeqCst);
        self.cut.cancel();
    }

    async fn idle(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.in_flight.load(SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Cancelled when what still runs is cut off.
    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    pub(crate) fn timed_out(&self) {
        self.timed_out.fetch_add(1, Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panicked.fetch_add(1, Relaxed);
    }

    pub(crate) fn crashed(&self) {
        self.crashed.fetch_add(1, Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            started: self.started.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            timed_out: self.timed_out.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
            crashed: self.crashed.load(Relaxed),
        }
    }
}

/// A streaming body with what must live as long: its engine, its request's count. Breaks off when it is cut.
pub(crate) struct Guarded<G> {
    body: Body,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _guard: G,
}

impl<G> Guarded<G> {
    pub(crate) fn new(body: Body, gauge: &Gauge, guard: G) -> Self {
        Self { body, cut: Box::pin(gauge.cut.clone().cancelled_owned()), _guard: guard }
    }
}

impl<G: Unpin> http_body::Body for Guarded<G> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(BodyError("the engine was stopped".into()))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
