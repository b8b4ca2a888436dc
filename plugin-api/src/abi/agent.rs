//! The agent half of an engine, as the agent sees it.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, RString, RVec},
};

use super::{AbiResult, FfiFuture, LogSinkBox};

/// A command for the agent half.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiCommand {
    /// Task id; unique for ever, a task runs at most once.
    pub task_id: RString,
    /// Name without the engine's prefix, e.g. `run_script`.
    pub name: RString,
    /// JSON payload as the server half made it.
    pub payload: RVec<u8>,
    /// When the task must end, in milliseconds since the Unix epoch; 0 for none.
    pub deadline_unix_ms: i64,
}

/// Which stream a chunk of output belongs to.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a running command may tell, and ask, the agent.
#[sabi_trait]
pub trait CommandIo: Send + Sync + 'static {
    /// Hand over output; resolves when the agent has room for more. False when nobody reads any longer.
    fn output(&self, stream: OutputStream, chunk: RVec<u8>) -> FfiFuture<bool>;
    /// Report progress: done and total in the command's own units, and a short sentence.
    fn progress(&self, done: u64, total: u64, message: RString);
    /// Resolves when the task is cancelled or its deadline has passed.
    #[sabi(last_prefix_field)]
    fn cancelled(&self) -> FfiFuture<()>;
}

/// Boxed [`CommandIo`].
pub type CommandIoBox = CommandIo_TO<RBox<()>>;

/// Methods the agent calls on an agent half.
#[sabi_trait]
pub trait AgentEngine: Send + Sync + 'static {
    /// Run one command; the result is JSON for the server half. A result with a member `error` (an object with
    /// `code` and `message`) did not succeed, and is kept all the same: a script that ended badly has both.
    fn command(&self, command: AbiCommand, io: CommandIoBox) -> FfiFuture<AbiResult<RVec<u8>>>;
    /// Everything else, by name: the constants of [`crate::services::host_calls`].
    #[sabi(last_prefix_field)]
    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>>;
}

/// What the agent gives an agent half.
#[repr(C)]
#[derive(StableAbi)]
pub struct AgentServices {
    /// The signed manifest, as JSON of [`crate::Manifest`].
    pub manifest: RVec<u8>,
    /// Where log records go.
    pub log: LogSinkBox,
    /// [`crate::services::license::Proof`] as JSON: what the SDK checks before it serves.
    pub license: RVec<u8>,
    /// A folder only this engine uses.
    pub data_dir: RString,
}
