//! Sends and receives frames. A frame goes out in one system call from whichever task has it, without a hop.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;

use super::frame::{Frame, MAX_FRAME};

/// Bytes that may wait for the socket. Credit and the limits on calls keep it far below; a peer that reads nothing
/// and makes it grow is taken for dead.
const MAX_PENDING: usize = 256 << 20;
/// Log records are dropped while more than this waits.
const LOG_ROOM: usize = 1 << 20;
/// Buffers larger than this are given back after use.
const KEEP: usize = 1 << 18;

/// Why a frame was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    #[error("larger than 64 MiB")]
    TooLarge,
    #[error("the connection is closed")]
    Closed,
}

/// The sending half; shared.
pub(crate) struct Link {
    write: OwnedWriteHalf,
    out: Mutex<Out>,
    more: Notify,
}

#[derive(Default)]
struct Out {
    scratch: Vec<u8>,
    pending: BytesMut,
    closed: bool,
}

/// Both halves of a connection.
pub(crate) fn split(stream: UnixStream) -> (Link, Reader) {
    let (read, write) = stream.into_split();
    let link = Link { write, out: Mutex::default(), more: Notify::new() };
    (link, Reader { read, buffer: BytesMut::with_capacity(1 << 16) })
}

/// A frame with its length before it.
pub(crate) fn encode(frame: &Frame, into: &mut Vec<u8>) -> Result<(), SendError> {
    into.clear();
    into.extend_from_slice(&[0; 4]);
    rmp_serde::encode::write(into, frame).map_err(|_| SendError::TooLarge)?;
    let length = into.len() - 4;
    if length > MAX_FRAME {
        return Err(SendError::TooLarge);
    }
    let length = u32::try_from(length).map_err(|_| SendError::TooLarge)?;
    into[..4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

impl Link {
    /// Send a frame now, or as soon as the socket has room. Never waits.
    pub(crate) fn send(&self, frame: &Frame) -> Result<(), SendError> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.closed {
            return Err(SendError::Closed);
        }
        let mut scratch = std::mem::take(&mut out.scratch);
        let sent = encode(frame, &mut scratch).and_then(|()| self.push(&mut out, &scratch));
        if scratch.capacity() <= KEEP {
            out.scratch = scratch;
        }
        sent
    }

    /// Send a log record unless the socket is behind.
    pub(crate) fn send_log(&self, frame: &Frame) {
        let behind = self.out.lock().unwrap_or_else(PoisonError::into_inner).pending.len() > LOG_ROOM;
        if !behind {
            let _ = self.send(frame);
        }
    }

    fn push(&self, out: &mut Out, bytes: &[u8]) -> Result<(), SendError> {
        let mut rest = bytes;
        while out.pending.is_empty() && !rest.is_empty() {
            match self.write.try_write(rest) {
                Ok(n) => rest = &rest[n..],
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    out.closed = true;
                    return Err(SendError::Closed);
                }
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        if out.pending.len() + rest.len() > MAX_PENDING {
            out.closed = true;
            return Err(SendError::Closed);
        }
        out.pending.extend_from_slice(rest);
        self.more.notify_one();
        Ok(())
    }

    /// Write what waits, until the connection breaks. One task runs this.
    pub(crate) async fn flush(&self) {
        loop {
            self.more.notified().await;
            while self.flush_some() {
                if self.write.writable().await.is_err() {
                    self.close();
                }
            }
            if self.is_closed() {
                return;
            }
        }
    }

    /// True while more waits.
    fn flush_some(&self) -> bool {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        while !out.closed && !out.pending.is_empty() {
            match self.write.try_write(&out.pending) {
                Ok(n) => out.pending.advance(n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => out.closed = true,
            }
        }
        if out.pending.is_empty() && out.pending.capacity() > KEEP {
            out.pending = BytesMut::new();
        }
        false
    }

    /// Send nothing more.
    pub(crate) fn close(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.closed = true;
        out.pending.clear();
        self.more.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).closed
    }
}

/// The receiving half.
pub(crate) struct Reader {
    read: OwnedReadHalf,
    buffer: BytesMut,
}

impl Reader {
    /// The next frame; `None` when the other side is gone. Safe to drop and call again.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = decode(&mut self.buffer)? {
                return Ok(Some(frame));
            }
            // Takes back the room of frames already read before it asks for more.
            self.buffer.reserve(1 << 13);
            if self.read.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Take a whole frame from the front of `buffer`, if there is one.
pub(crate) fn decode(buffer: &mut BytesMut) -> io::Result<Option<Frame>> {
    let Some(head) = buffer.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
    if length > MAX_FRAME {
        return Err(io::Error::other("a frame is larger than frames may be"));
    }
    if buffer.len() < 4 + length {
        buffer.reserve(4 + length - buffer.len());
        return Ok(None);
    }
    let frame = rmp_serde::from_slice(&buffer[4..4 + length]).map_err(io::Error::other)?;
    buffer.advance(4 + length);
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::frame::{Blob, WireBody};

    proptest! {
        #[test]
        fn no_bytes_make_the_frame_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let mut whole = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = decode(&mut whole) {}
            let mut framed = BytesMut::from(&u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes()[..]);
            framed.extend_from_slice(&bytes);
            let _ = decode(&mut framed);
        }

        #[test]
        fn frames_arrive_as_sent_in_any_pieces(id: u64, data: Vec<u8>, cut in 0..64usize) {
            let headers = vec![("content-type".to_owned(), Blob::from(data.clone()))];
            let frame = Frame::Head { id, status: 200, headers, body: WireBody::Full(data.into()) };
            let mut bytes = Vec::new();
            prop_assert_eq!(encode(&frame, &mut bytes), Ok(()));
            let (first, second) = bytes.split_at(cut.min(bytes.len() - 1));
            let mut buffer = BytesMut::from(first);
            prop_assert!(matches!(decode(&mut buffer), Ok(None)));
            buffer.extend_from_slice(second);
            let Ok(Some(again)) = decode(&mut buffer) else { panic!("a whole frame") };
            prop_assert_eq!(format!("{again:?}"), format!("{frame:?}"));
            prop_assert!(buffer.is_empty());
        }
    }

    #[test]
    fn a_frame_that_promises_too_much_is_refused() {
        let mut buffer = BytesMut::from(&u32::MAX.to_le_bytes()[..]);
        assert!(decode(&mut buffer).is_err());
    }
}
