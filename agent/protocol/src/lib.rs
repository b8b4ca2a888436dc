//! The messages between a host and its agents, and how they travel.
//!
//! # Transport
//! The agent opens one outbound WebSocket over mutual TLS to [`enroll::CONNECT_PATH`] on the host's gateway. Every
//! binary WebSocket message is one **packet**: a three byte header (format, lane, flags) and a piece of an encoded
//! **frame**. Text messages are a protocol error. A frame is MessagePack with named fields, compressed with zstd
//! above 1 KiB, and cut into packets of at most [`limits::MAX_PACKET_BYTES`].
//!
//! # Lanes
//! Frames travel on three [`Lane`]s: control, commands, bulk. Packets of one lane keep their order and are never
//! mixed within a frame; before each packet the sender takes the most urgent lane that has one. So a command waits
//! for at most one packet of bulk data. [`Outbox`] and [`Assembler`] implement both ends of that rule.
//!
//! # Session
//! 1. The agent sends [`Hello`](session::Hello) within [`limits::HELLO_TIMEOUT_MS`]; nothing may come before it.
//! 2. The host answers [`Welcome`](session::Welcome), or [`Goodbye`](session::Goodbye) and closes.
//! 3. Then [`EngineAssign`](engine::EngineAssign), requests for the inventory sections whose digest the host does
//!    not have, and the commands that wait for this machine.
//! 4. Both sides may ping. A host that hears nothing for its setting `agents.offline_after_s` says goodbye with
//!    `heartbeat_missed` and closes the connection.
//!
//! # Commands: at most once, nothing lost
//! - The host sends [`Command`](task::Command) until it sees [`CommandAccepted`](task::CommandAccepted), again after
//!   every reconnect, always with the same task id. The agent writes the id to disk **before** it accepts and
//!   starts, and answers a known id with `duplicate: true` without running it.
//! - A command past its deadline is refused by the agent, so that an id may be forgotten a day after its deadline.
//! - The agent keeps a [`TaskResult`](task::TaskResult) until the host's [`ResultAck`](task::ResultAck), which the
//!   host sends only after its database has committed. It is sent again after every reconnect until then.
//! - [`Output`](task::Output) chunks are numbered from 0 per task; the host acknowledges them cumulatively with
//!   [`OutputAck`](task::OutputAck). At most [`Policy::output_window_bytes`](session::Policy) per task may be
//!   unacknowledged. A result follows the acknowledgement of the last chunk; hosts accept any order.
//! - A task that was running when the agent died is reported as [`Outcome::Interrupted`](task::Outcome), never rerun.
//!
//! # Engine packages
//! Packages do not travel over the socket: the agent fetches [`enroll::package_path`] over HTTPS with its client
//! certificate and `Range` requests, and checks size and SHA-256 against the assignment before anything else.
//!
//! # Inventory
//! Where both sides name the capability [`INVENTORY_DELTA`](inventory::INVENTORY_DELTA), the host acknowledges what it
//! has stored with [`InventoryAck`](inventory::InventoryAck), and from then on only items that changed travel, as an
//! [`InventoryDelta`](inventory::InventoryDelta). A host whose own items do not come to the same check, or that does not
//! have the base, asks for the whole section.
//!
//! # Growth
//! Contracts only grow. New fields are optional with a serde default, new frames are skipped by old peers
//! ([`DecodeError::UnknownFrame`]), and `tests/golden` keeps the bytes of every frame of every version.

pub mod core_command;
pub mod engine;
pub mod enroll;
pub mod frame;
pub mod inventory;
pub mod items;
pub mod lane;
pub mod limits;
pub mod metrics;
pub mod release;
pub mod session;
pub mod task;
pub mod wire;

pub use frame::Frame;
pub use lane::{Lane, Outbox, OutboxFull};
pub use wire::{Assembler, DecodeError, EncodeError, Packet};

/// The newest protocol version this crate speaks.
pub const PROTOCOL_VERSION: u16 = 1;
/// The oldest protocol version this crate speaks.
pub const OLDEST_PROTOCOL_VERSION: u16 = 1;
/// WebSocket subprotocol both sides must name.
pub const SUBPROTOCOL: &str = "sysmanage.agent.v1";

/// Milliseconds since the Unix epoch, UTC.
pub type UnixMs = i64;

/// The newest version in both ranges (inclusive), if there is one.
pub fn negotiate(ours: (u16, u16), theirs: (u16, u16)) -> Option<u16> {
    let newest = ours.1.min(theirs.1);
    (newest >= ours.0 && newest >= theirs.0).then_some(newest)
}
