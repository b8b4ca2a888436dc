//! Choosing what to send next: within the operation's concurrency and each machine's share.

use plugin_api::services::operations::TaskState;
use uuid::Uuid;

use super::{
    batch::{Batch, Sending},
    live::Live,
};
use crate::{gateway::Sessions, operations::state::Happening};

/// Commands that one machine may hold; the rest wait on the host.
const PER_MACHINE: u32 = 32;
/// Commands sent in one turn, so that no transaction grows without bound.
const PER_TURN: usize = 2000;

impl Live {
    /// Send what may be sent. What does not fit into this turn is looked at in the next.
    pub(super) fn pump(&mut self, batch: &mut Batch, sessions: &Sessions) {
        let mut left = PER_TURN;
        for operation in std::mem::take(&mut self.to_pump) {
            if left == 0 {
                self.to_pump.insert(operation);
                continue;
            }
            for task in self.choose(operation, left, sessions) {
                left -= 1;
                self.dispatch(task, batch);
            }
            if left == 0 {
                self.to_pump.insert(operation);
            }
        }
    }

    fn choose(&self, operation: Uuid, most: usize, sessions: &Sessions) -> Vec<Uuid> {
        let Some(live) = self.operations.get(&operation) else { return Vec::new() };
        let free = match live.facts.concurrency {
            0 => most,
            limit => most.min(limit.saturating_sub(live.in_flight) as usize),
        };
        let may = |id: &&Uuid| {
            let Some(task) = self.tasks.get(*id) else { return false };
            let room = self.machines.get(&task.machine).is_some_and(|m| m.in_flight < PER_MACHINE);
            task.state == TaskState::Queued && room && sessions.has_room(task.machine)
        };
        live.ready.iter().filter(may).take(free).copied().collect()
    }

    fn dispatch(&mut self, id: Uuid, batch: &mut Batch) {
        if !self.happen(id, Happening::Dispatch, None, None, batch) {
            return;
        }
        let Some(task) = self.tasks.get(&id) else { return };
        batch.sendings.push(Sending {
            task: id,
            machine: task.machine,
            operation: task.operation,
            attempt: task.attempt,
            deadline: task.deadline.unwrap_or(batch.now),
        });
    }
}
