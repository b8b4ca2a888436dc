//! What a running command may tell and ask: output through the spool, progress, whether to stop.

use std::{
    sync::{Arc, Mutex, PoisonError},
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
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{bounded, on_spool};
use crate::{
    clock::now_ms,
    hub::Hub,
    spool::{Chunk, Spool, SpoolError},
};

/// Chunks that may wait in memory; a command that is faster than the disk waits.
const QUEUE: usize = 4;
/// Small pieces are gathered this long, so that a line costs no disk write of its own.
const GATHER: Duration = Duration::from_millis(40);
/// At most this much is gathered.
const GATHER_BYTES: usize = 128 << 10;

/// One command's side of the agent.
pub struct TaskIo {
    task: Uuid,
    hub: Arc<Hub>,
    cancel: CancellationToken,
    deadline: UnixMs,
    output: Mutex<Option<mpsc::Sender<Chunk>>>,
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
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write(task, spool, Arc::clone(&hub), receiver));
        (Arc::new(Self { task, hub, cancel, deadline, output: Mutex::new(Some(sender)) }), writer)
    }

    /// No more output.
    pub fn close(&self) {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Why it was told to stop, if it was.
    pub fn stopped_because(&self) -> Option<Outcome> {
        if self.cancel.is_cancelled() {
            return Some(Outcome::Cancelled);
        }
        (now_ms() >= self.deadline).then_some(Outcome::TimedOut)
    }

    fn sender(&self) -> Option<mpsc::Sender<Chunk>> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CommandIo for TaskIo {
    fn output(&self, stream: OutputStream, chunk: Bytes) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let Some(sender) = self.sender() else { return false };
            let stream = match stream {
                OutputStream::Stdout => Stream::Stdout,
                OutputStream::Stderr => Stream::Stderr,
            };
            for piece in chunk.chunks(limits::MAX_OUTPUT_CHUNK_BYTES) {
                if sender.send(Chunk { stream, data: piece.to_vec() }).await.is_err() {
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

async fn write(
    task: Uuid,
    spool: Arc<Spool>,
    hub: Arc<Hub>,
    mut receiver: mpsc::Receiver<Chunk>,
) -> Result<(), SpoolError> {
    let mut dropped = false;
    while let Some(first) = receiver.recv().await {
        let chunks = gather(first, &mut receiver).await;
        let append = on_spool(&spool, move |spool| spool.append_output(task, &chunks)).await?;
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

/// Take what comes within a moment, small pieces of one stream joined.
async fn gather(first: Chunk, receiver: &mut mpsc::Receiver<Chunk>) -> Vec<Chunk> {
    let until = tokio::time::Instant::now() + GATHER;
    let mut size = first.data.len();
    let mut chunks = vec![first];
    while size < GATHER_BYTES {
        let Ok(Some(next)) = tokio::time::timeout_at(until, receiver.recv()).await else { break };
        size += next.data.len();
        match chunks.last_mut() {
            Some(last)
                if last.stream == next.stream
                    && last.data.len() + next.data.len() <= limits::MAX_OUTPUT_CHUNK_BYTES =>
            {
                last.data.extend_from_slice(&next.data);
            }
            _ => chunks.push(next),
        }
    }
    chunks
}
