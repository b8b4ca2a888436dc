//! Where everything that wants to reach the host meets the connection, if there is one.
//!
//! What must not be lost is in the spool or can be collected again; here is only what to look at next, and the
//! packets of the present session.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use agent_protocol::{Frame, Lane, Outbox, OutboxFull};
use tokio::sync::Notify;
use uuid::Uuid;

/// Bytes that may wait per lane: control, commands, bulk.
const BOUNDS: [usize; 3] = [64 << 10, 512 << 10, 128 << 10];

/// Shared by tasks, engines, inventory and the session.
#[derive(Debug, Default)]
pub struct Hub {
    state: Mutex<State>,
    /// A packet waits, or the session must end.
    pub packets: Notify,
    /// There is something to look at, or room on a lane again.
    pub work: Notify,
}

#[derive(Debug, Default)]
struct State {
    outbox: Option<Outbox>,
    tasks: BTreeSet<Uuid>,
    results_again: BTreeSet<Uuid>,
    sections: BTreeSet<&'static str>,
    acknowledged: Vec<Acknowledged>,
    overflow: bool,
}

/// The host has a task's output up to and including `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// The task.
    pub task: Uuid,
    /// The last chunk it has.
    pub last: u64,
}

/// What the session should look at.
#[derive(Debug, Default)]
pub struct Work {
    /// Tasks with new output or a result.
    pub tasks: BTreeSet<Uuid>,
    /// Tasks whose result the host asked for again.
    pub results_again: BTreeSet<Uuid>,
    /// What the host acknowledged since the last look.
    pub acknowledged: Vec<Acknowledged>,
    /// Inventory sections to send.
    pub sections: BTreeSet<&'static str>,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins: its outbox is empty and every open task is to be looked at. What changed since the tasks were
    /// listed is kept: nobody would tell of it again.
    pub fn open(&self, tasks: impl IntoIterator<Item = Uuid>) {
        let mut state = self.state();
        state.outbox = Some(Outbox::new(BOUNDS));
        state.tasks.extend(tasks);
        drop(state);
        self.work.notify_one();
    }

    /// The session is over; what is sent from now on is dropped until the next.
    pub fn close(&self) {
        *self.state() = State::default();
    }

    /// Send a frame if there is a session and its lane has room. Only for what may be lost.
    pub fn send(&self, frame: impl Into<Frame>) -> bool {
        let frame = frame.into();
        let mut state = self.state();
        let Some(outbox) = &mut state.outbox else { return false };
        let sent = match outbox.push(&frame) {
            Ok(()) => true,
            Err(OutboxFull::Lane(_)) => false,
            Err(error) => {
                tracing::error!(%error, kind = frame.kind(), "a frame cannot be sent");
                false
            }
        };
        drop(state);
        if sent {
            self.packets.notify_one();
        }
        sent
    }

    /// Send a frame the host waits for; a session too slow for it ends, and the next begins anew.
    pub fn must_send(&self, frame: impl Into<Frame>) {
        if !self.send(frame) {
            self.state().overflow = true;
            self.packets.notify_one();
        }
    }

    /// Whether a lane takes another frame.
    pub fn has_room(&self, lane: Lane) -> bool {
        self.state().outbox.as_ref().is_some_and(|outbox| !outbox.is_full(lane))
    }

    /// The next packet; an error when the session fell behind.
    pub fn next_packet(&self) -> Result<Option<Vec<u8>>, Overflow> {
        let mut state = self.state();
        if state.overflow {
            return Err(Overflow);
        }
        let Some(outbox) = &mut state.outbox else { return Ok(None) };
        let was_full = Lane::ALL.map(|lane| outbox.is_full(lane));
        let packet = outbox.pop();
        if Lane::ALL.map(|lane| outbox.is_full(lane)) != was_full {
            self.work.notify_one();
        }
        Ok(packet)
    }

    /// Whether nothing waits to be sent.
    pub fn is_flushed(&self) -> bool {
        self.state().outbox.as_ref().is_none_or(Outbox::is_empty)
    }

    /// A task has new output or a result.
    pub fn task_changed(&self, task: Uuid) {
        self.state().tasks.insert(task);
        self.work.notify_one();
    }

    /// The host asked for a result it was sent before.
    pub fn send_result_again(&self, task: Uuid) {
        self.state().results_again.insert(task);
        self.work.notify_one();
    }

    /// The host has output of a task.
    pub fn output_acknowledged(&self, task: Uuid, last: u64) {
        self.state().acknowledged.push(Acknowledged { task, last });
        self.work.notify_one();
    }

    /// Sections to collect and send.
    pub fn want_sections(&self, names: impl IntoIterator<Item = &'static str>) {
        self.state().sections.extend(names);
        self.work.notify_one();
    }

    /// Sections need not be sent any more.
    pub fn forget_sections(&self) {
        self.state().sections.clear();
    }

    /// Take what there is to look at.
    pub fn take_work(&self) -> Work {
        let mut state = self.state();
        Work {
            tasks: std::mem::take(&mut state.tasks),
            results_again: std::mem::take(&mut state.results_again),
            sections: std::mem::take(&mut state.sections),
            acknowledged: std::mem::take(&mut state.acknowledged),
        }
    }

    /// Put back what a full lane held up; no notice, room on the lane gives it.
    pub fn put_back(&self, work: Work) {
        let mut state = self.state();
        if state.outbox.is_some() {
            state.tasks.extend(work.tasks);
            state.results_again.extend(work.results_again);
            state.sections.extend(work.sections);
        }
    }
}

/// The host reads more slowly than this agent must answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is too slow")]
pub struct Overflow;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_session_looks_at_what_changed_while_it_was_welcomed() {
        let hub = Hub::default();
        let (listed, ended_meanwhile) = (Uuid::from_u128(1), Uuid::from_u128(2));
        hub.task_changed(ended_meanwhile);
        hub.open([listed]);
        assert_eq!(hub.take_work().tasks, BTreeSet::from([listed, ended_meanwhile]));
        hub.task_changed(listed);
        hub.close();
        hub.open([]);
        assert!(hub.take_work().tasks.is_empty(), "what an ended session knew is listed anew");
    }
}
