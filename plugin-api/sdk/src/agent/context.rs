//! What a running command knows and may tell.

use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use plugin_api::{
    Manifest,
    abi::{AbiCommand, CommandIoBox, OutputStream, abi_stable::std_types::RVec},
};

use crate::runtime::Runtime;

/// Most bytes of output handed over at once.
const CHUNK: usize = 64 * 1024;

/// A running command. Cheap to clone, so that readers of several pipes may share it.
#[derive(Clone)]
pub struct CommandContext(Arc<Inner>);

struct Inner {
    task_id: String,
    name: String,
    deadline_unix_ms: i64,
    io: CommandIoBox,
    half: Arc<HalfInfo>,
}

/// What is the same for every command of an agent half.
pub(crate) struct HalfInfo {
    pub(crate) manifest: Manifest,
    pub(crate) data_dir: PathBuf,
    pub(crate) runtime: Runtime,
}

impl CommandContext {
    pub(crate) fn new(command: &AbiCommand, io: CommandIoBox, half: Arc<HalfInfo>) -> Self {
        Self(Arc::new(Inner {
            task_id: command.task_id.to_string(),
            name: command.name.to_string(),
            deadline_unix_ms: command.deadline_unix_ms,
            io,
            half,
        }))
    }

    /// Task id; unique for ever.
    pub fn task_id(&self) -> &str {
        &self.0.task_id
    }

    /// The command's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The engine's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.0.half.manifest
    }

    /// A folder on this machine that only this engine uses.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.0.half.data_dir
    }

    /// The private runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.0.half.runtime
    }

    /// Write to the task's standard output. False when nobody reads any longer. Waits while the agent is full.
    pub async fn stdout(&self, data: impl AsRef<[u8]>) -> bool {
        self.output(OutputStream::Stdout, data.as_ref()).await
    }

    /// Write to the task's standard error, like [`CommandContext::stdout`].
    pub async fn stderr(&self, data: impl AsRef<[u8]>) -> bool {
        self.output(OutputStream::Stderr, data.as_ref()).await
    }

    async fn output(&self, stream: OutputStream, data: &[u8]) -> bool {
        for chunk in data.chunks(CHUNK) {
            let sent = self.0.io.output(stream, RVec::from(chunk));
            if !sent.await {
                return false;
            }
        }
        true
    }

    /// Report progress: done and total in units of the command's own, and a short sentence.
    pub fn progress(&self, done: u64, total: u64, message: &str) {
        self.0.io.progress(done, total, message.into());
    }

    /// Resolves when the task is cancelled or its deadline has passed.
    pub async fn cancelled(&self) {
        let cancelled = self.0.io.cancelled();
        cancelled.await;
    }

    /// When the task must end; `None` for no deadline.
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        match self.0.deadline_unix_ms {
            0 => None,
            ms => DateTime::from_timestamp_millis(ms),
        }
    }

    /// Time left until the deadline; `None` for no deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline().map(|at| (at - Utc::now()).to_std().unwrap_or_default())
    }
}
