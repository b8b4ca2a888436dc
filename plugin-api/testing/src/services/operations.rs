//! Operations that run only as far as the test moves them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::Utc;
use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::operations::{
        CancelRequest, NewOperation, Operation, OperationId, Output, OutputChunk, OutputRequest,
        RetryRequest, Task, TaskEvent, TaskState, TasksRequest,
    },
};
use serde_json::Value;

use super::{FakeHost, State, machines::matches};

type Result<T> = std::result::Result<T, EngineError>;

fn not_found(what: &str, id: &str) -> EngineError {
    EngineError::new("not_found", format!("There is no {what} `{id}`."))
}

impl FakeHost {
    /// Operations the engine created, oldest first, with their ids.
    pub fn operations(&self) -> Vec<(String, NewOperation)> {
        self.lock().operations.iter().map(|(id, (new, _))| (id.clone(), new.clone())).collect()
    }

    /// Tasks of an operation, ordered by id.
    pub fn tasks(&self, operation_id: &str) -> Vec<Task> {
        self.lock().tasks.values().filter(|t| t.operation_id == operation_id).cloned().collect()
    }

    /// Add output to a task.
    pub fn push_output(&self, task_id: &str, stream: &str, data: &[u8]) {
        let mut state = self.lock();
        let chunks = state.outputs.entry(task_id.into()).or_default();
        let seq = chunks.len() as u64 + 1;
        chunks.push(OutputChunk { seq, stream: stream.into(), data_base64: BASE64_STANDARD.encode(data) });
    }

    /// Move a task; the event is what the host tells the engine.
    ///
    /// # Panics
    /// When there is no such task.
    pub(crate) fn set_task(&self, task_id: &str, to: TaskState, result: Value) -> TaskEvent {
        let mut state = self.lock();
        let now = Utc::now();
        let task = state.tasks.get_mut(task_id).unwrap_or_else(|| panic!("there is no task {task_id}"));
        task.state = to;
        task.dispatched_at = task.dispatched_at.or(Some(now));
        task.started_at = task.started_at.or(Some(now));
        if to.is_final() {
            task.finished_at = Some(now);
            task.result = result;
            if to != TaskState::Succeeded {
                let text = format!("The task ended as {to:?}.");
                task.error = Some(EngineError::new("command_failed", text));
            }
        }
        let task = task.clone();
        let operation_finished = state.count(&task.operation_id);
        TaskEvent { task, operation_finished }
    }

    pub(super) fn operation_call(&self, method: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let mut state = self.lock();
        match method {
            "create" => encode(&state.create(decode(payload)?, &[])?),
            "get" => {
                let id: OperationId = decode(payload)?;
                let found = state.operations.get(&id.id).ok_or_else(|| not_found("operation", &id.id))?;
                encode(&found.1)
            }
            "tasks" => encode(&state.page(&decode(payload)?)),
            "output" => encode(&state.output(&decode(payload)?)?),
            "cancel" => {
                state.cancel(&decode(payload)?)?;
                Ok(Vec::new())
            }
            "retry" => encode(&state.retry(decode(payload)?)?),
            other => Err(EngineError::unknown("method", other)),
        }
    }
}

impl State {
    /// Count again; whether every task is final.
    fn count(&mut self, operation_id: &str) -> bool {
        let Some((_, operation)) = self.operations.get_mut(operation_id) else { return false };
        operation.counts.clear();
        let mut finished = true;
        for task in self.tasks.values().filter(|t| t.operation_id == operation_id) {
            *operation.counts.entry(task.state).or_default() += 1;
            finished &= task.state.is_final();
        }
        operation.finished = finished;
        operation.finished_at = finished.then(Utc::now);
        finished
    }

    fn create(&mut self, new: NewOperation, retry_of: &[(String, String)]) -> Result<OperationId> {
        if let Some(key) = &new.idempotency_key {
            let same = self.operations.iter().find(|(_, (old, _))| old.idempotency_key.as_ref() == Some(key));
            if let Some((id, _)) = same {
                return Ok(OperationId { id: id.clone() });
            }
        }
        let known = self.manifest.as_ref().is_none_or(|m| m.commands.iter().any(|c| c.name == new.command));
        if !known {
            let text = format!("The manifest has no command `{}`.", new.command);
            return Err(EngineError::new("unknown_command", text));
        }
        for id in &new.machines {
            let machine = self.machines.get(id).ok_or_else(|| not_found("machine", id))?;
            if !matches(&new.context.scope, machine)? {
                let text = format!("The machine `{}` is out of the actor's scope.", machine.name);
                return Err(EngineError::new("out_of_scope", text));
            }
        }
        let id = uuid::Uuid::now_v7().to_string();
        for machine_id in &new.machines {
            let before = retry_of.iter().find(|(machine, _)| machine == machine_id);
            let task = Task {
                id: uuid::Uuid::now_v7().to_string(),
                operation_id: id.clone(),
                machine_id: machine_id.clone(),
                machine_name: self.machines.get(machine_id).map(|m| m.name.clone()).unwrap_or_default(),
                retry_of: before.map(|(_, task)| task.clone()),
                ..Task::default()
            };
            self.tasks.insert(task.id.clone(), task);
        }
        let operation = Operation {
            id: id.clone(),
            title: new.title.clone(),
            created_at: Some(Utc::now()),
            ..Operation::default()
        };
        self.operations.insert(id.clone(), (new, operation));
        self.count(&id);
        Ok(OperationId { id })
    }

    fn page(&self, request: &TasksRequest) -> Vec<Task> {
        let limit = match request.limit {
            0 => 1000,
            n => usize::try_from(n).unwrap_or(1000),
        };
        let after = request.after.as_deref().unwrap_or_default();
        let tasks = self.tasks.values().filter(|t| t.operation_id == request.operation_id);
        tasks.filter(|t| t.id.as_str() > after).take(limit).cloned().collect()
    }

    fn output(&self, request: &OutputRequest) -> Result<Output> {
        let task = self.tasks.get(&request.task_id).ok_or_else(|| not_found("task", &request.task_id))?;
        let chunks = self.outputs.get(&request.task_id).cloned().unwrap_or_default();
        let chunks = chunks.into_iter().filter(|c| c.seq > request.after).collect();
        Ok(Output { chunks, complete: task.state.is_final(), truncated: false })
    }

    fn cancel(&mut self, request: &CancelRequest) -> Result<()> {
        if !self.operations.contains_key(&request.operation_id) {
            return Err(not_found("operation", &request.operation_id));
        }
        for task in self.tasks.values_mut().filter(|t| t.operation_id == request.operation_id) {
            let wanted = request.tasks.is_empty() || request.tasks.contains(&task.id);
            if wanted && !task.state.is_final() {
                task.state = TaskState::Cancelled;
                task.finished_at = Some(Utc::now());
                self.cancelled.insert(task.id.clone());
            }
        }
        self.count(&request.operation_id);
        Ok(())
    }

    fn retry(&mut self, request: RetryRequest) -> Result<OperationId> {
        let (mut new, _) = self
            .operations
            .get(&request.operation_id)
            .cloned()
            .ok_or_else(|| not_found("operation", &request.operation_id))?;
        let wanted = |t: &&Task| {
            if !request.tasks.is_empty() {
                return request.tasks.contains(&t.id);
            }
            if request.states.is_empty() {
                return t.state.is_final() && t.state != TaskState::Succeeded;
            }
            request.states.contains(&t.state)
        };
        let chosen: Vec<(String, String)> = self
            .tasks
            .values()
            .filter(|t| t.operation_id == request.operation_id)
            .filter(wanted)
            .map(|t| (t.machine_id.clone(), t.id.clone()))
            .collect();
        if chosen.is_empty() {
            return Err(EngineError::new("nothing_to_retry", "No task is in those states."));
        }
        new.context = request.context;
        new.machines = chosen.iter().map(|(machine, _)| machine.clone()).collect();
        new.idempotency_key = None;
        self.create(new, &chosen)
    }
}
