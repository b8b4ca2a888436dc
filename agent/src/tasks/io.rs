//! What a running command may tell and ask: output through the spool, progress, whether to stop.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agent_protocol::{
    UnixMs, limits,
    task::{Outcome, Progress, Stream},
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use plugin_api::abi::OutputStream;
use plugin_runtime::CommandIo;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{end::bounded, on_spool};
use crate::{
    clock::now_ms,
    hub::Hub,
    spool::{Chunk, Spool, SpoolError},
};

/// Bytes that may wait in memory; a command that is faster than the disk waits.
const BUFFER: usize = 128 << 10;
/// Small pieces are gathered this long, so that a line costs no disk write of its own.
const GATHER: Duration = Duration::from_millis(40);

/// Output on its way to the spool.
#[derive(Default)]
struct Buffer {
    state: Mutex<Waiting>,
    /// Something waits, or no more comes.
    filled: Notify,
    /// There is room again, or nobody reads any longer.
    drained: Notify,
}

#[derive(Default)]
struct Waiting {
    chunks: Vec<Chunk>,
    bytes: usize,
    closed: bool,
}

impl Buffer {
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    /// Put a piece in; `None` when there is no room, false when nobody reads any longer.
    fn offer(&self, stream: Stream, piece: &[u8]) -> Option<bool> {
        let mut state = self.state();
        if state.closed {
            return Some(false);
        }
        if state.bytes > 0 && state.bytes + piece.len() > BUFFER {
            return None;
        }
        state.bytes += piece.len();
        match state.chunks.last_mut() {
            Some(last)
                if last.stream == stream
                    && last.data.len() + piece.len() <= limits::MAX_OUTPUT_CHUNK_BYTES =>
            {
                last.data.extend_from_slice(piece);
            }
            _ => state.chunks.push(Chunk { stream, data: piece.to_vec() }),
        }
        drop(state);
        self.filled.notify_one();
        Some(true)
    }

    async fn put(&self, stream: Stream, piece: &[u8]) -> bool {
        loop {
            let mut drained = pin!(self.drained.notified());
            drained.as_mut().enable();
            if let Some(taken) = self.offer(stream, piece) {
                return taken;
            }
            drained.await;
        }
    }

    /// What waits; `None` when nothing does and no more comes.
    async fn take(&self) -> Option<Vec<Chunk>> {
        loop {
            {
                let mut state = self.state();
                if !state.chunks.is_empty() {
                    state.bytes = 0;
                    let chunks = std::mem::take(&mut state.chunks);
                    drop(state);
                    self.drained.notify_waiters();
                    return Some(chunks);
                }
                if state.closed {
                    return None;
                }
            }
            self.filled.notified().await;
            let half_full_or_over = async {
                while {
                    let state = self.state();
                    state.bytes < BUFFER / 2 && !state.closed
                } {
                    self.filled.notified().await;
                }
            };
            let _gathered = tokio::time::timeout(GATHER, half_full_or_over).await;
        }
    }
}

/// One command's side of the agent.
pub struct TaskIo {
    task: Uuid,
    hub: Arc<Hub>,
    cancel: CancellationToken,
    deadline: UnixMs,
    output: Arc<Buffer>,
}

impl TaskIo {
    /// Begin, with a writer that ends after [`TaskIo::close`].
    pub fn start(
        task: Uuid,
        spool: Arc<Spool>,
        hub: Arc<Hub>,
        cancel: CancellationToken,
        deadline: UnixMs,
    ) -> (Arc<Self>, JoinHandle<Result<(), SpoolError>>) {
        let output = Arc::<Buffer>::default();
        let writer = tokio::spawn(write(task, spool, Arc::clone(&hub), Arc::clone(&output)));
        (Arc::new(Self { task, hub, cancel, deadline, output }), writer)
    }

    /// No more output.
    pub fn close(&self) {
        self.output.close();
    }

    /// Why it was told to stop, if it was.
    pub fn stopped_because(&self) -> Option<Outcome> {
        if self.cancel.is_cancelled() {
            return Some(Outcome::Cancelled);
        }
        (now_ms() >= self.deadline).then_some(Outcome::TimedOut)
    }
}

impl CommandIo for TaskIo {
    fn output(&self, stream: OutputStream, chunk: Bytes) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let stream = match stream {
                OutputStream::Stdout => Stream::Stdout,
                OutputStream::Stderr => Stream::Stderr,
            };
            for piece in chunk.chunks(limits::MAX_OUTPUT_CHUNK_BYTES) {
                if !self.output.put(stream, piece).await {
                    return false;
                }
            }
            true
        })
    }

    fn progress(&self, done: u64, total: u64, message: &str) {
        let message = bounded(message, limits::MAX_MESSAGE_BYTES, "");
        self.hub.send(Progress { task_id: self.task, done, total, message });
    }

    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let left = u64::try_from(self.deadline.saturating_sub(now_ms())).unwrap_or(0);
                if left == 0 {
                    return;
                }
                // In slices, because the clock may be set meanwhile.
                let slice = Duration::from_millis(left.min(10_000));
                tokio::select! {
                    () = self.cancel.cancelled() => return,
                    () = tokio::time::sleep(slice) => {}
                }
            }
        })
    }
}

async fn write(task: Uuid, spool: Arc<Spool>, hub: Arc<Hub>, output: Arc<Buffer>) -> Result<(), SpoolError> {
    let mut dropped = false;
    while let Some(chunks) = output.take().await {
        let append = on_spool(&spool, move |spool| spool.append_output(task, &chunks)).await;
        // A command whose output goes nowhere is told so.
        let append = append.inspect_err(|_| output.close())?;
        dropped |= append.dropped > 0;
        if append.kept > 0 {
            hub.task_changed(task);
        }
    }
    if dropped {
        on_spool(&spool, move |spool| spool.note_dropped(task)).await?;
    }
    Ok(())
}
