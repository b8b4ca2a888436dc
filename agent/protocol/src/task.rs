//! Commands, their output and their results.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::{
    UnixMs,
    frame::{Check, at_most, name},
    limits,
};

/// Run a command. The same id always means the same command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The task; unique for ever, executed at most once.
    pub task_id: Uuid,
    /// `core.<name>` or `<engine>.<name>`.
    pub name: String,
    /// JSON for the handler.
    pub payload: ByteBuf,
    /// When the task must have ended, by the host's clock. A command past it is refused.
    pub deadline: UnixMs,
    /// The engine whose agent half handles it, when it is not the core's.
    #[serde(default)]
    pub engine: Option<EngineNeed>,
    /// How often the host has sent it, from 1.
    #[serde(default)]
    pub attempt: u32,
}

/// An engine a command needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineNeed {
    /// Engine id.
    pub id: String,
    /// Exact version; the agent waits a while for it to be loaded, then refuses.
    pub version: String,
}

impl Check for Command {
    fn check(&self) -> Result<(), &'static str> {
        name(&self.name, "name")?;
        at_most(self.payload.len(), limits::MAX_PAYLOAD_BYTES, "payload")?;
        match &self.engine {
            Some(need) => name(&need.id, "engine").and_then(|()| name(&need.version, "engine")),
            None => Ok(()),
        }
    }
}

/// The command is on the agent's disk: it will not be lost, and not be run twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandAccepted {
    /// The task.
    pub task_id: Uuid,
    /// The agent knew this id already.
    #[serde(default)]
    pub duplicate: bool,
}

impl Check for CommandAccepted {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// The command has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The task.
    pub task_id: Uuid,
    /// When, by the agent's clock.
    pub at: UnixMs,
}

impl Check for Started {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// How far the command is. May be dropped by either side under load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The task.
    pub task_id: Uuid,
    /// Done, in the command's own units.
    pub done: u64,
    /// Total; 0 when unknown.
    pub total: u64,
    /// A short sentence.
    #[serde(default)]
    pub message: String,
}

impl Check for Progress {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.message.len(), limits::MAX_MESSAGE_BYTES, "message")
    }
}

/// Which stream output belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    #[serde(rename = "out")]
    Stdout,
    /// Standard error.
    #[serde(rename = "err")]
    Stderr,
}

/// A piece of a command's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The task.
    pub task_id: Uuid,
    /// Number of the chunk within the task, both streams together, from 0.
    pub seq: u64,
    /// Stream.
    pub stream: Stream,
    /// Raw bytes.
    pub data: ByteBuf,
}

impl Check for Output {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.data.len(), limits::MAX_OUTPUT_CHUNK_BYTES, "data")
    }
}

/// The host has stored every chunk of the task up to and including `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputAck {
    /// The task.
    pub task_id: Uuid,
    /// Highest stored chunk without a gap before it.
    pub seq: u64,
    /// The host keeps no more of this task's output; the rest need not be sent.
    #[serde(default)]
    pub full: bool,
}

impl Check for OutputAck {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// How a task ended on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The handler says so.
    Succeeded,
    /// The handler says so, with an error.
    Failed,
    /// The deadline passed while it ran.
    TimedOut,
    /// Stopped, or never begun, because of a cancel.
    Cancelled,
    /// Not begun: the owner's policy, an unknown command, a missing engine, a passed deadline.
    Refused,
    /// The agent or machine stopped while it ran; how far it got is unknown. It is not run again.
    Interrupted,
}

/// Why a task did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// Stable snake_case code: `policy_forbids`, `unknown_command`, `engine_missing`, `deadline_passed`, ...
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// How a task ended; kept by the agent until acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskResult {
    /// The task.
    pub task_id: Uuid,
    /// How it ended.
    pub outcome: Outcome,
    /// JSON from the handler; empty when there is none.
    #[serde(default)]
    pub payload: ByteBuf,
    /// Why it did not succeed.
    #[serde(default)]
    pub error: Option<TaskError>,
    /// When it began, by the agent's clock; `None` when it did not.
    #[serde(default)]
    pub started_at: Option<UnixMs>,
    /// When it ended, by the agent's clock.
    pub finished_at: UnixMs,
    /// How many chunks of output the task produced.
    #[serde(default)]
    pub output_chunks: u64,
}

impl Check for TaskResult {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.payload.len(), limits::MAX_PAYLOAD_BYTES, "payload")?;
        match &self.error {
            Some(e) => {
                name(&e.code, "error")?;
                at_most(e.message.len(), limits::MAX_MESSAGE_BYTES, "error")
            }
            None => Ok(()),
        }
    }
}

/// The host has committed the result; the agent may forget it. Sent for unknown tasks too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultAck {
    /// The task.
    pub task_id: Uuid,
}

impl Check for ResultAck {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// Stop a task, or do not begin it. The answer is its result, whatever it is by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// The task.
    pub task_id: Uuid,
}

impl Check for Cancel {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// What an agent says of a task in its hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskNote {
    /// The task.
    pub task_id: Uuid,
    /// How far it is.
    pub state: NoteState,
}

/// How far a task is on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteState {
    /// On disk, not begun.
    Accepted,
    /// Running.
    Running,
    /// Ended; its result follows.
    Finished,
}
