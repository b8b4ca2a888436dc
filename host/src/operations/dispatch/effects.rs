//! What follows a commit: commands and acknowledgements go out, events are published, engines are told.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use agent_protocol::{
    Frame,
    task::{Command, EngineNeed, Progress},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Loop,
    batch::{Batch, Sending, Showing},
    live::OperationFacts,
};
use crate::{ctx::Ctx, events::NewEvent, operations::state};

/// Output of one task shown in one event, in bytes; more is fetched from the API.
const SHOW_BYTES: usize = 16 * 1024;
/// Who may see operations.
const PERMISSION: &str = "operations:read";

/// Events that gather between two ticks, so that a thousand machines do not make a thousand events.
#[derive(Default)]
pub(super) struct PendingEvents {
    pub due: bool,
    operations: BTreeSet<Uuid>,
    counts: HashMap<Uuid, Value>,
    output: BTreeMap<Uuid, Shown>,
    progress: BTreeMap<Uuid, (Uuid, Uuid, Progress)>,
}

/// Output of one task, gathered.
struct Shown {
    operation: Uuid,
    machine: Uuid,
    first: u64,
    last: u64,
    bytes: usize,
    chunks: Vec<Value>,
}

impl Loop {
    pub(super) async fn act(&mut self, mut batch: Batch) {
        for (machine, frame) in std::mem::take(&mut batch.frames) {
            // A machine that is gone says it again when it is back.
            let _ = self.around.sessions.send(machine, &frame);
        }
        self.send_commands(std::mem::take(&mut batch.sendings)).await;
        self.gather(&mut batch);
        // Output is shown before the end of its task, and both before the end of the operation.
        if self.events.due || !batch.endings.is_empty() {
            self.flush_output();
        }
        self.tell(&mut batch);
        if self.events.due || !batch.finished_operations.is_empty() {
            self.flush_progress();
        }
        for id in &batch.finished_operations {
            let counts = self.events.counts.remove(id);
            self.publish_whole("operation.finished", *id, json!({"counts": counts}));
            self.live.operations.remove(id);
        }
        if !batch.finished_operations.is_empty() {
            self.around.finished.notify_waiters();
        }
        for (done, count) in batch.answers {
            let _ = done.send(count);
        }
        for done in batch.barriers {
            let _ = done.send(());
        }
    }

    async fn send_commands(&mut self, sendings: Vec<Sending>) {
        let mut payloads: HashMap<Uuid, Result<Arc<Vec<u8>>, String>> = HashMap::new();
        for sending in sendings {
            let Some(operation) = self.live.operations.get(&sending.operation) else { continue };
            let facts = operation.facts.clone();
            let payload = match payloads.get(&sending.operation) {
                Some(payload) => payload.clone(),
                None => {
                    let made = self.payload(&facts).await.map(Arc::new);
                    payloads.insert(sending.operation, made.clone());
                    made
                }
            };
            match payload {
                Ok(payload) => self.send_command(&sending, &facts, &payload),
                Err(reason) => self.live.refuse_later(sending.task, reason),
            }
        }
    }

    fn send_command(&self, sending: &Sending, facts: &OperationFacts, payload: &[u8]) {
        let command = Command {
            task_id: sending.task,
            name: facts.command.clone(),
            payload: serde_bytes::ByteBuf::from(payload),
            deadline: sending.deadline.timestamp_millis(),
            engine: facts
                .engine
                .as_ref()
                .map(|(id, version)| EngineNeed { id: id.clone(), version: version.clone() }),
            attempt: sending.attempt,
        };
        if let Err(error) = self.around.sessions.send(sending.machine, &Frame::Command(command)) {
            tracing::debug!(task.id = %sending.task, %error, "a command waits for the machine to come back");
        }
    }

    /// The payload with its secrets filled in. They are never stored, logged or published.
    async fn payload(&self, facts: &OperationFacts) -> Result<Vec<u8>, String> {
        let mut payload = facts.payload.clone();
        if !facts.secrets.is_empty() {
            let reader = facts.engine.as_ref().map_or("core", |(id, _)| id.as_str());
            let ctx = Ctx::job("operations.dispatch");
            for (pointer, name) in &facts.secrets {
                let value =
                    self.around.secrets.resolve(&ctx, reader, name).await.map_err(|e| e.to_string())?;
                let place = payload.pointer_mut(pointer).ok_or_else(|| format!("nothing is at {pointer}"))?;
                *place = Value::String(value.to_string());
            }
        }
        serde_json::to_vec(&payload).map_err(|e| e.to_string())
    }

    /// Tell engines at once, and everybody else of small operations.
    fn tell(&self, batch: &mut Batch) {
        let listener = self.around.listener.read().unwrap_or_else(|e| e.into_inner()).clone();
        for telling in std::mem::take(&mut batch.tellings) {
            if telling.publish {
                let task = &telling.event.task;
                let data = json!({
                    "operation_id": task.operation_id, "task_id": task.id, "machine_id": task.machine_id,
                    "machine_name": task.machine_name, "state": task.state,
                    "error": task.error.as_ref().map(|e| json!({"code": e.code, "message": e.message})),
                });
                self.publish("task.changed", data, telling.machine);
            }
            if let (Some(listener), Some(engine)) = (&listener, &telling.engine) {
                listener.task_changed(engine, telling.event);
            }
        }
    }

    fn gather(&mut self, batch: &mut Batch) {
        for id in std::mem::take(&mut batch.touched_operations) {
            if let Some(operation) = self.live.operations.get(&id) {
                let counts: BTreeMap<&str, u64> = operation
                    .counts
                    .iter()
                    .filter(|(_, n)| **n > 0)
                    .map(|(s, n)| (state::name(*s), *n))
                    .collect();
                self.events.counts.insert(id, json!(counts));
                self.events.operations.insert(id);
            }
        }
        for showing in std::mem::take(&mut batch.showings) {
            self.events.show(showing);
        }
        for (operation, machine, progress) in std::mem::take(&mut batch.progress) {
            self.events.progress.insert(progress.task_id, (operation, machine, progress));
        }
    }

    fn flush_output(&mut self) {
        for (task, shown) in std::mem::take(&mut self.events.output) {
            let data = json!({
                "operation_id": shown.operation, "task_id": task, "machine_id": shown.machine,
                "first_seq": shown.first, "last_seq": shown.last,
                "omitted": shown.bytes > SHOW_BYTES, "chunks": shown.chunks,
            });
            self.publish("task.output", data, shown.machine);
        }
    }

    fn flush_progress(&mut self) {
        self.events.due = false;
        for (task, (operation, machine, p)) in std::mem::take(&mut self.events.progress) {
            let data = json!({
                "operation_id": operation, "task_id": task, "machine_id": machine,
                "done": p.done, "total": p.total, "message": p.message,
            });
            self.publish("task.progress", data, machine);
        }
        for id in std::mem::take(&mut self.events.operations) {
            let counts = self.events.counts.get(&id).cloned();
            self.publish_whole("operation.progress", id, json!({"counts": counts}));
        }
        let open = &self.live.operations;
        self.events.counts.retain(|id, _| open.contains_key(id));
    }

    fn publish(&self, topic: &str, data: Value, machine: Uuid) {
        self.around.events.publish(NewEvent::new(topic, PERMISSION, data).machine(machine));
    }

    fn publish_whole(&self, topic: &str, operation: Uuid, mut data: Value) {
        data["operation_id"] = json!(operation);
        self.around.events.publish(NewEvent::new(topic, PERMISSION, data).operation(operation));
    }
}

impl PendingEvents {
    fn show(&mut self, showing: Showing) {
        let shown = self.output.entry(showing.task).or_insert_with(|| Shown {
            operation: showing.operation,
            machine: showing.machine,
            first: showing.seq,
            last: showing.seq,
            bytes: 0,
            chunks: Vec::new(),
        });
        shown.last = showing.seq;
        shown.bytes += showing.data.len();
        if shown.bytes <= SHOW_BYTES {
            shown.chunks.push(json!({
                "seq": showing.seq, "stream": showing.stream, "text": String::from_utf8_lossy(&showing.data),
            }));
        }
    }
}
