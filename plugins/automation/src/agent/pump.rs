//! Carries one pipe of a script to the host: masked, counted, limited, no faster than it is read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use plugin_sdk::CommandContext;
use ring::digest::{Context, SHA256};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::watch,
};

use super::masking::{Masker, Patterns};
use crate::model::digest::hex;

/// Which pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipe {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What the pipes of one script share.
pub struct Shared {
    /// Bytes that may still be sent.
    left: AtomicU64,
    limit: u64,
    truncated: AtomicBool,
    patterns: Patterns,
}

impl Shared {
    /// A limit on both pipes together, and what to mask.
    pub fn new(limit: u64, patterns: Patterns) -> Self {
        Self { left: AtomicU64::new(limit), limit, truncated: AtomicBool::new(false), patterns }
    }

    /// Whether the limit cut something.
    pub fn truncated(&self) -> bool {
        self.truncated.load(Ordering::Relaxed)
    }

    /// Take up to `wanted` bytes from what is left.
    fn take(&self, wanted: usize) -> usize {
        let wanted = wanted as u64;
        let before = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left - left.min(wanted)))
            .unwrap_or(0);
        usize::try_from(before.min(wanted)).unwrap_or(0)
    }
}

/// What went through a pipe.
pub struct Summary {
    /// Bytes the script wrote.
    pub bytes: u64,
    /// SHA-256 of everything, masked, beyond the limit too.
    pub sha256: String,
}

/// Carry a pipe until it ends, or until `stop` says that nobody waits for it any longer.
pub async fn carry(
    mut from: impl AsyncRead + Unpin,
    pipe: Pipe,
    ctx: CommandContext,
    shared: std::sync::Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) -> Summary {
    let mut masker = Masker::new(&shared.patterns);
    let mut sink = Sink { ctx, pipe, shared: &shared, digest: Context::new(&SHA256), open: true };
    let mut buffer = vec![0; 16 * 1024];
    let mut bytes = 0;
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read.unwrap_or(0),
            _ = stop.wait_for(|stop| *stop) => 0,
        };
        if read == 0 {
            break;
        }
        bytes += read as u64;
        let masked = masker.push(&buffer[..read]);
        tokio::select! {
            () = sink.send(&masked) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    sink.send(&masker.finish()).await;
    Summary { bytes, sha256: hex(sink.digest.finish().as_ref()) }
}

struct Sink<'a> {
    ctx: CommandContext,
    pipe: Pipe,
    shared: &'a Shared,
    digest: Context,
    open: bool,
}

impl Sink<'_> {
    async fn send(&mut self, data: &[u8]) {
        self.digest.update(data);
        if data.is_empty() || !self.open {
            return;
        }
        let allowed = self.shared.take(data.len());
        if allowed > 0 {
            self.open = self.write(&data[..allowed]).await;
        }
        if allowed < data.len() && !self.shared.truncated.swap(true, Ordering::Relaxed) {
            let marker = format!("\n[output cut after {} bytes]\n", self.shared.limit);
            self.open &= self.write(marker.as_bytes()).await;
        }
    }

    async fn write(&self, data: &[u8]) -> bool {
        match self.pipe {
            Pipe::Stdout => self.ctx.stdout(data).await,
            Pipe::Stderr => self.ctx.stderr(data).await,
        }
    }
}
