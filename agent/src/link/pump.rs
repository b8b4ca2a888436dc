//! Sends what waits in the spool and in the inventory: as much as lanes and windows allow, again until acknowledged.

use std::collections::{BTreeMap, VecDeque};

use agent_protocol::{Frame, Lane, task::Output};
use uuid::Uuid;

use super::{Link, LinkError};
use crate::{
    hub::{Acknowledged, Work},
    spool::State,
    tasks::on_spool,
};

/// Read from the spool in pieces of this size.
const BATCH: usize = 64 << 10;

/// What this session has sent of one task.
#[derive(Debug, Default)]
struct Cursor {
    /// Next chunk to send.
    next: u64,
    /// Chunks sent and not acknowledged, with their sizes.
    unacknowledged: VecDeque<(u64, usize)>,
    waiting_bytes: usize,
    result_sent: bool,
    /// The host asked for the result of a task it acknowledged before.
    asked_again: bool,
}

impl Cursor {
    fn acknowledge(&mut self, last: u64) {
        while let Some((seq, size)) = self.unacknowledged.front().copied() {
            if seq > last {
                break;
            }
            self.unacknowledged.pop_front();
            self.waiting_bytes -= size;
        }
        self.next = self.next.max(last.saturating_add(1));
    }
}

/// The sending side of a session.
pub struct Pump<'a> {
    link: &'a Link,
    window: usize,
    cursors: BTreeMap<Uuid, Cursor>,
}

impl<'a> Pump<'a> {
    /// With at most `window` bytes of unacknowledged output per task.
    pub fn new(link: &'a Link, window: u32) -> Self {
        let window =
            usize::try_from(window).unwrap_or(usize::MAX).max(agent_protocol::limits::MAX_OUTPUT_CHUNK_BYTES);
        Self { link, window, cursors: BTreeMap::new() }
    }

    /// For as long as the session lasts.
    pub async fn run(&mut self) -> Result<(), LinkError> {
        loop {
            self.link.hub.work.notified().await;
            let mut work = self.link.hub.take_work();
            for Acknowledged { task, last } in std::mem::take(&mut work.acknowledged) {
                self.cursors.entry(task).or_default().acknowledge(last);
                work.tasks.insert(task);
            }
            let mut held_up = Work::default();
            for task in work.results_again {
                let cursor = self.cursors.entry(task).or_default();
                (cursor.result_sent, cursor.asked_again) = (false, true);
                work.tasks.insert(task);
            }
            for task in work.tasks {
                if !self.send_task(task).await? {
                    held_up.tasks.insert(task);
                }
            }
            let sections = !work.sections.is_empty();
            for name in work.sections {
                if !self.send_section(name).await {
                    held_up.sections.insert(name);
                }
            }
            if sections {
                crate::heap::trim();
            }
            self.link.hub.put_back(held_up);
        }
    }

    /// False when a lane is full.
    async fn send_task(&mut self, task: Uuid) -> Result<bool, LinkError> {
        let hub = &self.link.hub;
        let Some(record) = on_spool(&self.link.spool, move |spool| spool.record(task)).await? else {
            self.cursors.remove(&task);
            return Ok(true);
        };
        let cursor = self.cursors.entry(task).or_default();
        while cursor.waiting_bytes < self.window {
            let (from, room) = (cursor.next, BATCH.min(self.window - cursor.waiting_bytes));
            let chunks = on_spool(&self.link.spool, move |spool| spool.output_from(task, from, room)).await?;
            if chunks.is_empty() {
                break;
            }
            for (seq, chunk) in chunks {
                if !hub.has_room(Lane::Bulk) {
                    return Ok(false);
                }
                let size = chunk.data.len();
                hub.send(Output { task_id: task, seq, stream: chunk.stream, data: chunk.data.into() });
                cursor.next = seq + 1;
                cursor.unacknowledged.push_back((seq, size));
                cursor.waiting_bytes += size;
            }
        }
        let over = matches!(record.state, State::Finished | State::Acknowledged);
        if !over || !cursor.unacknowledged.is_empty() {
            return Ok(true);
        }
        if record.state == State::Acknowledged && !std::mem::take(&mut cursor.asked_again) {
            self.cursors.remove(&task);
            return Ok(true);
        }
        self.send_result(task).await
    }

    async fn send_result(&mut self, task: Uuid) -> Result<bool, LinkError> {
        let cursor = self.cursors.entry(task).or_default();
        if cursor.result_sent {
            return Ok(true);
        }
        if !self.link.hub.has_room(Lane::Commands) {
            return Ok(false);
        }
        if let Some(result) = on_spool(&self.link.spool, move |spool| spool.result(task)).await? {
            self.link.hub.send(Frame::Result(result));
            cursor.result_sent = true;
        }
        Ok(true)
    }

    async fn send_section(&self, name: &'static str) -> bool {
        if !self.link.hub.has_room(Lane::Bulk) {
            return false;
        }
        if let Some(frame) = self.link.inventory.frame(name).await {
            self.link.hub.send(frame);
        }
        true
    }
}
