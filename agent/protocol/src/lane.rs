//! Lanes and the sending side of their priority rule.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{EncodeError, Frame, wire};

/// A lane of the connection; smaller is more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Lane {
    /// Session, heartbeats, engine assignment, certificates.
    Control = 0,
    /// Commands, their acceptance, results and acknowledgements.
    Commands = 1,
    /// Output of commands and inventory sections.
    Bulk = 2,
}

impl Lane {
    /// Every lane, most urgent first.
    pub const ALL: [Lane; 3] = [Lane::Control, Lane::Commands, Lane::Bulk];

    /// The lane with this number.
    pub fn from_number(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }

    /// Name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Control => "control",
            Lane::Commands => "commands",
            Lane::Bulk => "bulk",
        }
    }
}

/// Why a frame was not queued.
#[derive(Debug, thiserror::Error)]
pub enum OutboxFull {
    /// The lane holds as many bytes as it may; wait until packets have left.
    #[error("the {} lane is full", .0.name())]
    Lane(Lane),
    /// The frame itself cannot be sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Packets that wait to be sent, one bounded queue per lane, most urgent first.
///
/// A frame is accepted while its lane holds less than its bound, so the bound may be passed by one frame.
#[derive(Debug)]
pub struct Outbox {
    queues: [VecDeque<Vec<u8>>; 3],
    bytes: [usize; 3],
    bounds: [usize; 3],
}

impl Outbox {
    /// An empty outbox with a bound per lane, in bytes (control, commands, bulk).
    pub fn new(bounds: [usize; 3]) -> Self {
        Self { queues: Default::default(), bytes: [0; 3], bounds }
    }

    /// Encode `frame` and queue its packets on its lane.
    pub fn push(&mut self, frame: &Frame) -> Result<(), OutboxFull> {
        let lane = frame.lane();
        if self.is_full(lane) {
            return Err(OutboxFull::Lane(lane));
        }
        for packet in wire::encode(frame)? {
            self.bytes[lane as usize] += packet.len();
            self.queues[lane as usize].push_back(packet);
        }
        Ok(())
    }

    /// Whether the lane takes no more frames for now.
    pub fn is_full(&self, lane: Lane) -> bool {
        self.bytes[lane as usize] >= self.bounds[lane as usize]
    }

    /// Take the next packet to send: the oldest of the most urgent lane.
    pub fn pop(&mut self) -> Option<Vec<u8>> {
        Lane::ALL.iter().find_map(|lane| {
            let packet = self.queues[*lane as usize].pop_front()?;
            self.bytes[*lane as usize] -= packet.len();
            Some(packet)
        })
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queues.iter().all(VecDeque::is_empty)
    }

    /// Bytes that wait on a lane.
    pub fn waiting_bytes(&self, lane: Lane) -> usize {
        self.bytes[lane as usize]
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new([256 * 1024, 8 * 1024 * 1024, 8 * 1024 * 1024])
    }
}
