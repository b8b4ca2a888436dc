//! Open tasks in memory, and what signals do to them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use agent_protocol::{
    limits,
    task::{self as wire, NoteState, TaskNote, TaskResult},
};
use chrono::{DateTime, Duration, Utc};
use plugin_api::services::operations::{Task, TaskEvent, TaskState};
use serde_json::Value;
use uuid::Uuid;

use super::batch::{Batch, Ending, OutputTotals, Sending, Telling};
use crate::operations::state::{self, Happening, Transition};

/// How long after a task's deadline its result may still come: the agent stops it itself and tells.
pub(super) const GRACE: Duration = Duration::seconds(15);
/// Operations of at most so many tasks publish an event for every change of a task.
pub(super) const PUBLISH_TASKS_UP_TO: u32 = 200;

/// What all tasks of an operation share.
#[derive(Debug)]
pub(super) struct OperationFacts {
    pub command: String,
    pub engine: Option<(String, String)>,
    pub payload: Value,
    pub secrets: Vec<(String, String)>,
    pub timeout: Duration,
    pub concurrency: u32,
    pub start_by: DateTime<Utc>,
    pub total: u32,
}

/// An operation with open tasks.
#[derive(Debug)]
pub(super) struct LiveOperation {
    pub facts: Arc<OperationFacts>,
    /// Queued tasks whose machine is connected.
    pub ready: BTreeSet<Uuid>,
    pub in_flight: u32,
    pub open: u32,
    pub counts: BTreeMap<TaskState, u64>,
}

/// An open task.
#[derive(Debug)]
pub(super) struct LiveTask {
    pub operation: Uuid,
    pub machine: Uuid,
    pub machine_name: String,
    pub state: TaskState,
    pub accepted: bool,
    pub attempt: u32,
    pub cancel_requested: bool,
    pub retry_of: Option<Uuid>,
    pub deadline: Option<DateTime<Utc>>,
    pub dispatched_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub output: OutputTotals,
}

/// A machine with open tasks, or connected.
#[derive(Debug, Default)]
pub(super) struct LiveMachine {
    pub session: Option<Uuid>,
    pub in_flight: u32,
    pub tasks: BTreeSet<Uuid>,
}

/// Everything open.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub tasks: HashMap<Uuid, LiveTask>,
    pub operations: HashMap<Uuid, LiveOperation>,
    pub machines: HashMap<Uuid, LiveMachine>,
    /// Operations with something to send, perhaps.
    pub to_pump: BTreeSet<Uuid>,
    pub look_at_clock: bool,
    /// Tasks that turned out to be unsendable after their commit; they fail in the next turn.
    pub refused: Vec<(Uuid, String)>,
}

/// JSON when it is JSON, text when it is not, nothing when it is empty.
pub(super) fn json_or_text(bytes: &[u8]) -> Option<Value> {
    if bytes.is_empty() {
        return None;
    }
    Some(serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into()))
}

fn in_flight(state: TaskState) -> bool {
    matches!(state, TaskState::Dispatched | TaskState::Running)
}

impl Live {
    /// Let `happening` happen to an open task, write down the change and keep the books. False when nothing came of it.
    pub(super) fn happen(
        &mut self,
        id: Uuid,
        happening: Happening,
        result: Option<Value>,
        error: Option<(String, String)>,
        batch: &mut Batch,
    ) -> bool {
        let Some(task) = self.tasks.get_mut(&id) else { return false };
        let to = match state::next(task.state, happening) {
            Transition::To(to) => to,
            Transition::Stay => return true,
            Transition::Late | Transition::Ignored => return false,
        };
        let from = std::mem::replace(&mut task.state, to);
        self.count(id, from, to);
        self.write_down(id, to, &result, &error, batch);
        self.tell(id, result, error, batch);
        if to.is_final() {
            self.close(id, batch);
        }
        true
    }

    fn count(&mut self, id: Uuid, from: TaskState, to: TaskState) {
        let task = &self.tasks[&id];
        let Some(operation) = self.operations.get_mut(&task.operation) else { return };
        if let Some(n) = operation.counts.get_mut(&from) {
            *n = n.saturating_sub(1);
        }
        *operation.counts.entry(to).or_default() += 1;
        operation.ready.remove(&id);
        let machine = self.machines.entry(task.machine).or_default();
        match (in_flight(from), in_flight(to)) {
            (false, true) => {
                operation.in_flight += 1;
                machine.in_flight += 1;
            }
            (true, false) => {
                operation.in_flight = operation.in_flight.saturating_sub(1);
                machine.in_flight = machine.in_flight.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn write_down(
        &mut self,
        id: Uuid,
        to: TaskState,
        result: &Option<Value>,
        error: &Option<(String, String)>,
        batch: &mut Batch,
    ) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        match to {
            TaskState::Queued => {}
            TaskState::Dispatched => {
                let timeout =
                    self.operations.get(&task.operation).map_or(Duration::zero(), |o| o.facts.timeout);
                let deadline = *task.deadline.get_or_insert(batch.now + timeout);
                task.dispatched_at = Some(batch.now);
                task.attempt = 1;
                batch.dispatched.entry(deadline).or_default().push(id);
            }
            TaskState::Running => {
                let timeout =
                    self.operations.get(&task.operation).map_or(Duration::zero(), |o| o.facts.timeout);
                // A restored database may not know that it sent the task: it needs a deadline all the same.
                if task.deadline.is_none() {
                    let deadline = *task.deadline.insert(batch.now + timeout);
                    batch.dispatched.entry(deadline).or_default().push(id);
                }
                task.started_at = Some(batch.now);
                batch.started.push(id);
            }
            _ => batch.endings.push(Ending {
                task: id,
                state: to,
                result: result.clone(),
                error: error.clone(),
            }),
        }
    }

    fn tell(&self, id: Uuid, result: Option<Value>, error: Option<(String, String)>, batch: &mut Batch) {
        let task = &self.tasks[&id];
        let Some(operation) = self.operations.get(&task.operation) else { return };
        batch.touched_operations.insert(task.operation);
        let engine = operation.facts.engine.as_ref().map(|(id, _)| id.clone());
        let publish = operation.facts.total <= PUBLISH_TASKS_UP_TO;
        if engine.is_none() && !publish {
            return;
        }
        let finished = task.state.is_final();
        let event = TaskEvent {
            task: Task {
                id: id.to_string(),
                operation_id: task.operation.to_string(),
                machine_id: task.machine.to_string(),
                machine_name: task.machine_name.clone(),
                state: task.state,
                result: result.unwrap_or(Value::Null),
                error: error.map(|(code, message)| plugin_api::EngineError::new(&code, message)),
                dispatched_at: task.dispatched_at,
                started_at: task.started_at,
                finished_at: finished.then_some(batch.now),
                retry_of: task.retry_of.map(|id| id.to_string()),
            },
            operation_finished: finished && operation.open == 1,
        };
        batch.tellings.push(Telling { machine: task.machine, engine, publish, event });
    }

    /// Forget a task that has ended, and its operation with the last one.
    fn close(&mut self, id: Uuid, batch: &mut Batch) {
        let Some(task) = self.tasks.remove(&id) else { return };
        if let Some(operation) = self.operations.get_mut(&task.operation) {
            operation.open = operation.open.saturating_sub(1);
            if operation.open == 0 {
                batch.finished_operations.push(task.operation);
            } else {
                self.to_pump.insert(task.operation);
            }
        }
        self.free_place(task.machine, id);
    }

    fn free_place(&mut self, machine_id: Uuid, task: Uuid) {
        let Some(machine) = self.machines.get_mut(&machine_id) else { return };
        machine.tasks.remove(&task);
        let waiting = machine.tasks.iter().filter_map(|id| self.tasks.get(id));
        self.to_pump.extend(waiting.filter(|t| t.state == TaskState::Queued).map(|t| t.operation));
        if machine.tasks.is_empty() && machine.session.is_none() {
            self.machines.remove(&machine_id);
        }
    }

    /// The open task, when it belongs to this machine.
    pub(super) fn own(&mut self, machine: Uuid, task: Uuid) -> Option<&mut LiveTask> {
        self.tasks.get_mut(&task).filter(|t| t.machine == machine)
    }

    pub(super) fn accepted(&mut self, machine: Uuid, id: Uuid, batch: &mut Batch) {
        let Some(task) = self.own(machine, id) else { return };
        if !std::mem::replace(&mut task.accepted, true) {
            batch.accepted.push(id);
        }
        self.happen(id, Happening::Accepted, None, None, batch);
    }

    pub(super) fn started(&mut self, machine: Uuid, id: Uuid, batch: &mut Batch) {
        self.accepted(machine, id, batch);
        if self.own(machine, id).is_some() {
            self.happen(id, Happening::Started, None, None, batch);
        }
    }

    pub(super) fn progress(&mut self, machine: Uuid, progress: wire::Progress, batch: &mut Batch) {
        if let Some(task) = self.own(machine, progress.task_id) {
            batch.progress.push((task.operation, machine, progress));
        }
    }

    pub(super) fn result(&mut self, machine: Uuid, result: TaskResult, batch: &mut Batch) {
        let id = result.task_id;
        batch.frames.push((machine, wire::ResultAck { task_id: id }.into()));
        if self.own(machine, id).is_none() {
            batch.strangers.push((machine, result));
            return;
        }
        let error = result.error.map(|e| (e.code, e.message)).or_else(|| default_error(result.outcome));
        let payload = json_or_text(&result.payload);
        self.happen(id, Happening::Ended(result.outcome), payload, error, batch);
    }

    /// A machine said hello: send again what it does not have, learn what it has.
    pub(super) fn connected(
        &mut self,
        machine_id: Uuid,
        session: Uuid,
        notes: &[TaskNote],
        batch: &mut Batch,
    ) {
        let machine = self.machines.entry(machine_id).or_default();
        machine.session = Some(session);
        let known: HashMap<Uuid, NoteState> = notes.iter().map(|n| (n.task_id, n.state)).collect();
        let complete = notes.len() < limits::MAX_LIST;
        for id in machine.tasks.clone() {
            match known.get(&id) {
                Some(note) => self.agent_has(machine_id, id, *note, batch),
                None => self.agent_lacks(id, complete, batch),
            }
        }
    }

    fn agent_has(&mut self, machine: Uuid, id: Uuid, note: NoteState, batch: &mut Batch) {
        match note {
            NoteState::Accepted | NoteState::Finished => self.accepted(machine, id, batch),
            NoteState::Running => self.started(machine, id, batch),
        }
        if self.tasks.get(&id).is_some_and(|t| t.cancel_requested) {
            batch.frames.push((machine, wire::Cancel { task_id: id }.into()));
        }
    }

    fn agent_lacks(&mut self, id: Uuid, complete: bool, batch: &mut Batch) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        match (task.state, task.accepted) {
            (TaskState::Queued, _) => {
                if let Some(operation) = self.operations.get_mut(&task.operation) {
                    operation.ready.insert(id);
                    self.to_pump.insert(task.operation);
                }
            }
            (TaskState::Dispatched, false) if task.cancel_requested => {
                self.happen(id, Happening::CancelledBeforeDelivery, None, None, batch);
            }
            (TaskState::Dispatched, false) => {
                task.attempt += 1;
                batch.resent.push(id);
                batch.sendings.push(Sending {
                    task: id,
                    machine: task.machine,
                    operation: task.operation,
                    attempt: task.attempt,
                    deadline: task.deadline.unwrap_or(batch.now),
                });
            }
            _ if complete => {
                let error =
                    ("forgotten".into(), "The agent had this task and knows nothing of it any more.".into());
                self.happen(id, Happening::Forgotten, None, Some(error), batch);
            }
            _ => {}
        }
    }

    pub(super) fn disconnected(&mut self, machine_id: Uuid, session: Uuid) {
        let Some(machine) = self.machines.get_mut(&machine_id) else { return };
        if machine.session != Some(session) {
            return;
        }
        machine.session = None;
        for id in &machine.tasks {
            if let Some(operation) = self.tasks.get(id).and_then(|t| self.operations.get_mut(&t.operation)) {
                operation.ready.remove(id);
            }
        }
        if machine.tasks.is_empty() {
            self.machines.remove(&machine_id);
        }
    }

    /// Stop tasks; the number that was open.
    pub(super) fn cancel(
        &mut self,
        operation: Uuid,
        only: Option<&HashSet<Uuid>>,
        batch: &mut Batch,
    ) -> usize {
        let wanted = |id: &Uuid| only.is_none_or(|ids| ids.contains(id));
        let ids: Vec<Uuid> = self
            .tasks
            .iter()
            .filter(|(id, t)| t.operation == operation && wanted(id))
            .map(|(id, _)| *id)
            .collect();
        if only.is_none() {
            batch.cancelled_operations.push(operation);
        }
        for id in &ids {
            let Some(task) = self.tasks.get_mut(id) else { continue };
            if in_flight(task.state) {
                if !std::mem::replace(&mut task.cancel_requested, true) {
                    batch.cancel_requested.push(*id);
                }
                batch.frames.push((task.machine, wire::Cancel { task_id: *id }.into()));
            }
            self.happen(*id, Happening::CancelRequested, None, None, batch);
        }
        ids.len()
    }

    pub(super) fn machine_removed(&mut self, machine_id: Uuid, batch: &mut Batch) {
        let Some(machine) = self.machines.get_mut(&machine_id) else { return };
        machine.session = None;
        for id in machine.tasks.clone() {
            let error =
                Some(("machine_removed".to_owned(), "The machine was removed or rejected.".to_owned()));
            if !self.happen(id, Happening::Undeliverable, None, error.clone(), batch) {
                self.happen(id, Happening::Forgotten, None, error, batch);
            }
        }
    }

    /// A task could not be sent for want of a secret: it fails in the next turn.
    pub(super) fn refuse_later(&mut self, id: Uuid, reason: String) {
        self.refused.push((id, reason));
    }

    /// Let the refused tasks fail.
    pub(super) fn fail_refused(&mut self, batch: &mut Batch) {
        for (id, reason) in std::mem::take(&mut self.refused) {
            let error =
                ("secret_unavailable".to_owned(), format!("A secret could not be resolved: {reason}."));
            self.happen(id, Happening::Undeliverable, None, Some(error), batch);
        }
    }

    /// Let time pass: queues and deadlines.
    pub(super) fn expire(&mut self, batch: &mut Batch) {
        let now = batch.now;
        let due: Vec<(Uuid, Happening)> = self
            .tasks
            .iter()
            .filter_map(|(id, task)| match task.state {
                TaskState::Queued => {
                    let late = self.operations.get(&task.operation).is_none_or(|o| o.facts.start_by <= now);
                    late.then_some((*id, Happening::QueueExpired))
                }
                _ => (task.deadline? + GRACE <= now).then_some((*id, Happening::DeadlinePassed)),
            })
            .collect();
        for (id, happening) in due {
            let error = match happening {
                Happening::QueueExpired => ("never_dispatched", "The machine was not there in time."),
                _ => ("no_answer", "The machine did not answer before the deadline."),
            };
            self.happen(id, happening, None, Some((error.0.into(), error.1.into())), batch);
        }
    }
}

fn default_error(outcome: wire::Outcome) -> Option<(String, String)> {
    let (code, message) = match outcome {
        wire::Outcome::Succeeded => return None,
        wire::Outcome::Failed => ("failed", "The command failed."),
        wire::Outcome::TimedOut => ("timed_out", "The command was stopped at its deadline."),
        wire::Outcome::Cancelled => ("cancelled", "The command was cancelled."),
        wire::Outcome::Refused => ("refused", "The agent refused the command."),
        wire::Outcome::Interrupted => ("interrupted", "The agent stopped while the command ran."),
    };
    Some((code.into(), message.into()))
}
