//! The frame: one enum of everything that is said, with its lane, direction and limits.

use serde::{Deserialize, Serialize};

use crate::{Lane, engine, inventory, limits, metrics, session, task};

macro_rules! frames {
    ($($(#[$doc:meta])* $variant:ident($body:ty) = $kind:literal, $lane:ident, $side:ident;)*) => {
        /// Everything host and agent say to each other. On the wire a map with one entry: kind to body.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[expect(clippy::large_enum_variant, reason = "the hello is large, and sent once a session")]
        pub enum Frame {
            $($(#[$doc])* #[serde(rename = $kind)] $variant($body),)*
        }

        impl Frame {
            /// Kinds this version knows, in the order of the enum.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// Kind on the wire; also a metric label.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)* }
            }

            /// The lane this frame travels on.
            pub fn lane(&self) -> Lane {
                match self { $(Self::$variant(_) => Lane::$lane,)* }
            }

            /// Who may send it.
            pub fn side(&self) -> Side {
                match self { $(Self::$variant(_) => Side::$side,)* }
            }

            /// Check the limits of [`crate::limits`]; the error names the field.
            pub fn check(&self) -> Result<(), &'static str> {
                match self { $(Self::$variant(body) => body.check(),)* }
            }
        }

        $(impl From<$body> for Frame {
            fn from(body: $body) -> Self { Self::$variant(body) }
        })*
    };
}

/// Who may send a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Only the agent.
    Agent,
    /// Only the host.
    Host,
    /// Either.
    Both,
}

/// Bodies know their own limits.
pub(crate) trait Check {
    /// The first field that breaks a limit.
    fn check(&self) -> Result<(), &'static str>;
}

frames! {
    /// First frame of a session.
    Hello(session::Hello) = "hello", Control, Agent;
    /// The host's answer to a hello.
    Welcome(session::Welcome) = "welcome", Control, Host;
    /// The sender closes the connection after this.
    Goodbye(session::Goodbye) = "goodbye", Control, Both;
    /// Are you there?
    Ping(session::Ping) = "ping", Control, Both;
    /// The answer to a ping, with its number.
    Pong(session::Pong) = "pong", Control, Both;
    /// The agent lives; with metrics when it has them.
    Heartbeat(metrics::Heartbeat) = "heartbeat", Control, Agent;
    /// Send heartbeats more often for a while: somebody watches.
    Watch(metrics::Watch) = "watch", Control, Host;
    /// Figures of some minutes.
    Samples(metrics::Samples) = "samples", Bulk, Agent;
    /// The host has stored samples.
    SamplesAck(metrics::SamplesAck) = "samples_ack", Control, Host;
    /// A new certificate, please.
    CertificateRequest(session::CertificateRequest) = "certificate_request", Control, Agent;
    /// The new certificate, or why not.
    CertificateAnswer(session::CertificateAnswer) = "certificate_answer", Control, Host;
    /// The complete list of engines this machine should run.
    EngineAssign(engine::EngineAssign) = "engine_assign", Control, Host;
    /// What became of the assigned engines.
    EngineStatus(engine::EngineStatus) = "engine_status", Control, Agent;
    /// Run a command.
    Command(task::Command) = "command", Commands, Host;
    /// The command is on the agent's disk.
    CommandAccepted(task::CommandAccepted) = "command_accepted", Commands, Agent;
    /// The command has begun.
    Started(task::Started) = "started", Commands, Agent;
    /// How far the command is.
    Progress(task::Progress) = "progress", Commands, Agent;
    /// How the command ended.
    Result(task::TaskResult) = "result", Commands, Agent;
    /// The host has stored the result.
    ResultAck(task::ResultAck) = "result_ack", Commands, Host;
    /// Stop a command, or do not begin it.
    Cancel(task::Cancel) = "cancel", Commands, Host;
    /// The host has stored output up to a number.
    OutputAck(task::OutputAck) = "output_ack", Commands, Host;
    /// A piece of a command's output.
    Output(task::Output) = "output", Bulk, Agent;
    /// Send these inventory sections.
    InventoryRequest(inventory::InventoryRequest) = "inventory_request", Control, Host;
    /// One inventory section.
    InventorySection(inventory::InventorySection) = "inventory_section", Bulk, Agent;
    /// What changed of one inventory section.
    InventoryDelta(inventory::InventoryDelta) = "inventory_delta", Bulk, Agent;
    /// The host has stored an inventory section.
    InventoryAck(inventory::InventoryAck) = "inventory_ack", Control, Host;
}

/// The kind of an encoded frame, read from its first bytes.
pub(crate) fn kind_of(bytes: &[u8]) -> Option<&str> {
    let [0x81, marker, rest @ ..] = bytes else { return None };
    let (length, rest) = match marker {
        0xa0..=0xbf => (usize::from(marker & 0x1f), rest),
        0xd9 => rest.split_first().map(|(n, rest)| (usize::from(*n), rest))?,
        _ => return None,
    };
    std::str::from_utf8(rest.get(..length)?).ok()
}

pub(crate) fn name(value: &str, field: &'static str) -> Result<(), &'static str> {
    if value.is_empty() || value.len() > limits::MAX_NAME_BYTES { Err(field) } else { Ok(()) }
}

pub(crate) fn at_most(length: usize, limit: usize, field: &'static str) -> Result<(), &'static str> {
    if length > limit { Err(field) } else { Ok(()) }
}
