//! Bodies over the link, at the reader's pace.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame as BodyFrame;
use tokio::sync::{Semaphore, mpsc};

use super::frame::{Blob, Frame};
use super::link::Link;
use crate::abi_http::next_chunk;
use crate::{Body, BodyError};

/// Bytes a writer may send before the reader has read any.
pub(crate) const WINDOW: usize = 256 << 10;
/// Largest piece of a body in one frame.
pub(crate) const PIECE: usize = 64 << 10;

/// The writer's credit.
#[derive(Debug)]
pub(crate) struct Credit(Semaphore);

impl Default for Credit {
    fn default() -> Self {
        Self(Semaphore::new(WINDOW))
    }
}

impl Credit {
    /// Wait for credit; false when the reader is gone.
    async fn take(&self, bytes: usize) -> bool {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.0.acquire_many(bytes).await.map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    /// The reader has read. Never more than the window, whatever the reader says.
    pub(crate) fn add(&self, bytes: u32) {
        let room = WINDOW.saturating_sub(self.0.available_permits());
        self.0.add_permits(room.min(usize::try_from(bytes).unwrap_or(0)));
    }

    /// The reader is gone.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

/// Send a body to its end, or until the reader is gone. True when [`Frame::End`] was sent.
pub(crate) async fn pump(link: &Link, id: u64, mut body: Body, credit: &Credit) -> bool {
    loop {
        let mut bytes = match next_chunk(&mut body).await {
            None => return link.send(&Frame::End { id, error: None }).is_ok(),
            Some(Err(e)) => return link.send(&Frame::End { id, error: Some(e.to_string()) }).is_ok(),
            Some(Ok(bytes)) => bytes,
        };
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            if !credit.take(piece.len()).await || link.send(&Frame::Chunk { id, data: Blob(piece) }).is_err()
            {
                return false;
            }
        }
    }
}

enum Item {
    Data(Bytes),
    End,
    Broken(BodyError),
}

/// Where the receiver of frames puts a body's pieces.
#[derive(Debug)]
pub(crate) struct Inflow {
    items: mpsc::UnboundedSender<Item>,
    queued: Arc<AtomicUsize>,
}

/// The writer sent more than it had credit for.
#[derive(Debug)]
pub(crate) struct Overrun;

impl Inflow {
    /// A piece arrived.
    pub(crate) fn push(&self, data: Bytes) -> Result<(), Overrun> {
        if self.queued.fetch_add(data.len(), Relaxed) + data.len() > WINDOW {
            return Err(Overrun);
        }
        let _ = self.items.send(Item::Data(data));
        Ok(())
    }

    /// The end arrived.
    pub(crate) fn end(&self, error: Option<String>) {
        let _ = self.items.send(error.map_or(Item::End, |e| Item::Broken(BodyError(e))));
    }
}

/// A body that arrives over the link.
pub(crate) struct Incoming<T> {
    items: mpsc::UnboundedReceiver<Item>,
    queued: Arc<AtomicUsize>,
    link: Arc<Link>,
    id: u64,
    uncredited: usize,
    ended: bool,
    /// Dropped with the body.
    _guard: T,
}

/// Both ends of a body that arrives. `guard` is dropped with the body and tells the writer, where that is needed.
pub(crate) fn incoming<T>(link: Arc<Link>, id: u64, guard: T) -> (Inflow, Incoming<T>) {
    let (sender, items) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let inflow = Inflow { items: sender, queued: queued.clone() };
    (inflow, Incoming { items, queued, link, id, uncredited: 0, ended: false, _guard: guard })
}

impl<T> Incoming<T> {
    fn read(&mut self, bytes: usize) {
        self.queued.fetch_sub(bytes, Relaxed);
        self.uncredited += bytes;
        if self.uncredited >= WINDOW / 4 {
            let bytes = u32::try_from(self.uncredited).unwrap_or(u32::MAX);
            self.uncredited = 0;
            let _ = self.link.send(&Frame::Credit { id: self.id, bytes });
        }
    }
}

impl<T: Unpin> http_body::Body for Incoming<T> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = match ready!(self.items.poll_recv(cx)) {
            Some(Item::Data(bytes)) => {
                self.read(bytes.len());
                return Poll::Ready(Some(Ok(BodyFrame::data(bytes))));
            }
            Some(Item::End) => None,
            Some(Item::Broken(e)) => Some(Err(e)),
            None => Some(Err(BodyError("the other process ended during the transfer".into()))),
        };
        self.ended = true;
        Poll::Ready(item)
    }
}
