//! The operations service: create, look, wait, cancel, retry.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, RwLock},
    time::Duration as StdDuration,
};

use chrono::Duration;
use plugin_api::services::operations::TaskState;
use sea_orm::{ActiveValue::Set, DbErr};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    NewOperation, Operation, OperationError, Reach, Targets, Task, TaskListener, TaskOutput, commands,
    dispatch::{Dispatcher, Signal, Surroundings},
    entity::{operation, task},
    state, store,
    store::OperationFilter,
};
use crate::{
    app::Core,
    audit::Change,
    ctx::{Ctx, Forbidden, Scope},
    events::NewEvent,
    http::Page,
    machines,
};

/// Seconds a task may run when nobody says.
const DEFAULT_TIMEOUT_S: u32 = 600;
/// Seconds a task waits for its machine when nobody says.
const DEFAULT_QUEUE_TIMEOUT_S: u32 = 3600;
/// Longest of both.
const MAX_TIMEOUT_S: u32 = 30 * 86_400;
/// Largest payload, as JSON. A frame of the agent protocol must hold it.
const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// Output in one answer.
const MAX_OUTPUT_BYTES: usize = 512 * 1024;

/// The operations service. Cheap to clone.
#[derive(Clone)]
pub struct Operations {
    core: Arc<Core>,
    dispatcher: Dispatcher,
    listener: Arc<RwLock<Option<Arc<dyn TaskListener>>>>,
    finished: Arc<Notify>,
}

impl Operations {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let listener = Arc::<RwLock<_>>::default();
        let finished = Arc::<Notify>::default();
        let dispatcher = Dispatcher::new(Surroundings {
            db: core.db.clone(),
            clock: core.clock.clone(),
            events: core.events.clone(),
            sessions: core.sessions.clone(),
            listener: listener.clone(),
            secrets: core.secrets.clone(),
            finished: finished.clone(),
        });
        Self { core, dispatcher, listener, finished }
    }

    pub(super) async fn run(&self, stop: CancellationToken) {
        self.dispatcher.run(stop).await;
    }

    /// Tell `listener` of every change of an engine's task.
    pub fn set_listener(&self, listener: Arc<dyn TaskListener>) {
        *self.listener.write().unwrap_or_else(|e| e.into_inner()) = Some(listener);
    }

    /// Hand the dispatcher a signal from a machine.
    pub(crate) async fn signal(&self, signal: Signal) -> bool {
        self.dispatcher.signal(signal).await
    }

    /// Create an operation and start it. Returns its id, or that of the operation with the same idempotency key.
    ///
    /// A core command needs the permission of its family (see [`commands::permission`]). An engine's commands are created by the engine slice only, after its
    /// own checks; machines must lie within the scope of the context (or of `new.scope`) all the same.
    pub async fn create(&self, ctx: &Ctx, new: NewOperation) -> Result<Uuid, OperationError> {
        let scope = match (&new.scope, &new.engine) {
            (_, None) => ctx.require_scope(commands::permission(&new.command))?,
            (Some(selector), Some(_)) if !selector.trim().is_empty() => Scope::Selector(selector.clone()),
            (_, Some(_)) => Scope::All,
        };
        check(&new)?;
        if let Some(known) = self.known(&new).await? {
            return Ok(known);
        }
        let machines = self.targets(ctx, &new.targets, &scope).await?;
        let new = commands::completed(new, machines.len());
        let tasks =
            machines.into_iter().map(|(machine, name)| NewTask { machine, name, retry_of: None }).collect();
        self.store(ctx, new, tasks, None).await
    }

    async fn known(&self, new: &NewOperation) -> Result<Option<Uuid>, OperationError> {
        let Some(key) = &new.idempotency_key else { return Ok(None) };
        // Read where writes go: a repetition may follow at once.
        let Some(row) = store::by_key(self.core.db.write(), key).await? else { return Ok(None) };
        if row.command == new.command && row.payload == new.payload {
            return Ok(Some(row.id));
        }
        Err(OperationError::KeyReused)
    }

    async fn targets(
        &self,
        ctx: &Ctx,
        targets: &Targets,
        scope: &Scope,
    ) -> Result<Vec<(Uuid, String)>, OperationError> {
        let found = match targets {
            Targets::Machines(ids) => {
                let wanted: HashSet<Uuid> = ids.iter().copied().collect();
                let found = machines::targets::by_ids(
                    self.core.db.read(),
                    &wanted,
                    scope,
                    &self.core.selectors.env(),
                )
                .await?;
                if found.len() < wanted.len() {
                    let have: HashSet<Uuid> = found.iter().map(|(id, _)| *id).collect();
                    return Err(OperationError::UnknownMachines(wanted.difference(&have).copied().collect()));
                }
                found
            }
            Targets::Selector(selector) => {
                use machines::targets::TargetError as E;
                machines::targets::by_selector(
                    self.core.db.read(),
                    &self.core.selectors,
                    ctx,
                    selector,
                    scope,
                )
                .await
                .map_err(|e| match e {
                    E::Selector(e) => OperationError::Invalid { field: "selector", detail: e.to_string() },
                    E::Database(e) => e.into(),
                })?
            }
        };
        if found.is_empty() { Err(OperationError::NoMachines) } else { Ok(found) }
    }

    async fn store(
        &self,
        ctx: &Ctx,
        new: NewOperation,
        tasks: Vec<NewTask>,
        retry_of: Option<Uuid>,
    ) -> Result<Uuid, OperationError> {
        let id = Uuid::now_v7();
        let key = new.idempotency_key.clone();
        let rows = tasks.iter().map(|t| self.task_row(id, t)).collect();
        let row = self.operation_row(ctx, id, &new, tasks.len(), retry_of);
        let mut shown = json!({
            "command": new.command, "title": new.title, "machines": tasks.len(), "retry_of": retry_of,
        });
        if new.engine.is_none() {
            // An engine's payload may hold what is not for everybody; it records its own.
            shown["parameters"] = new.payload.clone();
        }
        let tx = self.core.db.begin().await?;
        if let Err(error) = store::insert(&tx, row, rows).await {
            drop(tx);
            // Two callers with one key at the same time: the second takes the first one's operation.
            let first = match key {
                Some(_) => self.known(&new).await?,
                None => None,
            };
            return first.ok_or(error.into());
        }
        let change = Change::new("operation.created", "operation", id).after(&shown);
        self.core.audit.record_in(ctx, &tx, change).await?;
        let mut data = shown;
        data["operation_id"] = json!(id);
        let (events, dispatcher) = (self.core.events.clone(), self.dispatcher.clone());
        // In a task of its own: a caller that is dropped meanwhile must not leave an operation that nobody knows of.
        let committed = tokio::spawn(async move {
            tx.commit().await?;
            events.publish(NewEvent::new("operation.created", "operations:read", data).operation(id));
            // When the dispatcher has stopped, the next start of the host finds the operation.
            dispatcher.signal(Signal::Created(id)).await;
            Ok(())
        });
        committed.await.unwrap_or_else(|e| Err(DbErr::Custom(format!("the commit's task ended: {e}"))))?;
        Ok(id)
    }

    fn operation_row(
        &self,
        ctx: &Ctx,
        id: Uuid,
        new: &NewOperation,
        total: usize,
        retry_of: Option<Uuid>,
    ) -> operation::ActiveModel {
        let now = self.core.clock.now();
        let seconds = |given: u32, default: u32| if given == 0 { default } else { given.min(MAX_TIMEOUT_S) };
        let start_by = now + Duration::seconds(seconds(new.queue_timeout_s, DEFAULT_QUEUE_TIMEOUT_S).into());
        let selector = match &new.targets {
            Targets::Selector(selector) => selector.clone(),
            Targets::Machines(_) => String::new(),
        };
        operation::ActiveModel {
            id: Set(id),
            command: Set(new.command.clone()),
            title: Set(new.title.clone()),
            actor: Set(ctx.actor.to_string()),
            actor_name: Set(ctx.actor_name.clone()),
            request_id: Set(ctx.request_id.clone()),
            engine_id: Set(new.engine.as_ref().map(|(id, _)| id.clone())),
            engine_version: Set(new.engine.as_ref().map(|(_, version)| version.clone())),
            selector: Set(selector),
            payload: Set(new.payload.clone()),
            secrets: Set(json!(new.secrets)),
            timeout_s: Set(seconds(new.timeout_s, DEFAULT_TIMEOUT_S) as i32),
            concurrency: Set(new.concurrency.try_into().unwrap_or(i32::MAX)),
            total: Set(total.try_into().unwrap_or(i32::MAX)),
            idempotency_key: Set(new.idempotency_key.clone()),
            retry_of: Set(retry_of),
            created_at: Set(now),
            start_by: Set(start_by),
            cancelled_at: Set(None),
            finished_at: Set(None),
        }
    }

    fn task_row(&self, operation: Uuid, new: &NewTask) -> task::ActiveModel {
        task::ActiveModel {
            id: Set(Uuid::now_v7()),
            operation_id: Set(operation),
            machine_id: Set(new.machine),
            machine_name: Set(new.name.clone()),
            state: Set(state::name(TaskState::Queued).into()),
            attempt: Set(0),
            retry_of: Set(new.retry_of),
            cancel_requested: Set(false),
            created_at: Set(self.core.clock.now()),
            dispatched_at: Set(None),
            accepted_at: Set(None),
            started_at: Set(None),
            finished_at: Set(None),
            deadline: Set(None),
            result: Set(None),
            error_code: Set(None),
            error_message: Set(None),
            late_result: Set(None),
            output_chunks: Set(0),
            output_bytes: Set(0),
            output_truncated: Set(false),
        }
    }

    /// One operation.
    pub async fn get(&self, ctx: &Ctx, id: Uuid) -> Result<Operation, OperationError> {
        let reach = self.reach(ctx, "operations:read")?;
        self.load(id, &reach).await
    }

    /// What the actor sees with `permission`.
    fn reach(&self, ctx: &Ctx, permission: &str) -> Result<Reach, Forbidden> {
        Ok(Reach::of(&ctx.require_scope(permission)?, &self.core.selectors.env()))
    }

    async fn load(&self, id: Uuid, reach: &Reach) -> Result<Operation, OperationError> {
        let db = self.core.db.read();
        let row = store::get(db, id, reach).await?.ok_or(OperationError::NotFound("operation"))?;
        let counts = store::counts(db, &[id], reach).await?.remove(&id).unwrap_or_default();
        Ok(Operation::seen(row, counts, reach))
    }

    /// Operations, newest first.
    pub async fn list(
        &self,
        ctx: &Ctx,
        filter: OperationFilter,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<Operation>, OperationError> {
        let reach = self.reach(ctx, "operations:read")?;
        let page = store::list(self.core.db.read(), filter, &reach, after, limit).await?;
        let ids: Vec<Uuid> = page.items.iter().map(|o| o.id).collect();
        let mut counts = store::counts(self.core.db.read(), &ids, &reach).await?;
        Ok(page.map(|row| {
            let own = counts.remove(&row.id).unwrap_or_default();
            Operation::seen(row, own, &reach)
        }))
    }

    /// How many operations run, and ended within a day; nothing for whom a scope keeps from seeing all of them.
    pub(crate) async fn by_state(&self, ctx: &Ctx) -> Result<Option<BTreeMap<String, u64>>, OperationError> {
        if ctx.require_scope("operations:read")? != Scope::All {
            return Ok(None);
        }
        let day_ago = self.core.clock.now() - Duration::days(1);
        Ok(Some(store::by_state(self.core.db.read(), day_ago).await?))
    }

    /// Tasks of an operation, in the order they were made; those in `states`, or all when it is empty.
    pub async fn tasks(
        &self,
        ctx: &Ctx,
        operation: Uuid,
        states: &[TaskState],
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<Task>, OperationError> {
        let reach = self.reach(ctx, "operations:read")?;
        let db = self.core.db.read();
        store::get(db, operation, &reach).await?.ok_or(OperationError::NotFound("operation"))?;
        Ok(store::tasks(db, operation, states, &reach, after, limit).await?.map(Task::from))
    }

    /// One task.
    pub async fn task(&self, ctx: &Ctx, id: Uuid) -> Result<Task, OperationError> {
        let reach = self.reach(ctx, "operations:read")?;
        let row = store::task(self.core.db.read(), id, &reach).await?;
        row.map(Task::from).ok_or(OperationError::NotFound("task"))
    }

    /// Output of a task after chunk `after` (0 from the start), at most `limit_bytes` (0 for the host's maximum).
    pub async fn outputs(
        &self,
        ctx: &Ctx,
        task: Uuid,
        after: u64,
        limit_bytes: u32,
    ) -> Result<TaskOutput, OperationError> {
        let reach = self.reach(ctx, "operations:read")?;
        let db = self.core.db.read();
        // The task first: output that arrives in between is then not called complete too early.
        let row = store::task(db, task, &reach).await?.ok_or(OperationError::NotFound("task"))?;
        let bytes = match limit_bytes {
            0 => MAX_OUTPUT_BYTES,
            limit => MAX_OUTPUT_BYTES.min(limit as usize),
        };
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let chunks = store::output(db, task, after, bytes).await?;
        let last = chunks.last().map_or(after, |c| c.seq);
        let state = state::parse(&row.state).unwrap_or_default();
        Ok(TaskOutput {
            chunks: chunks.into_iter().map(Into::into).collect(),
            state,
            complete: state.is_final() && last >= row.output_chunks,
            truncated: row.output_truncated,
        })
    }

    /// Wait until an operation has finished, at most `patience`.
    pub async fn wait(
        &self,
        ctx: &Ctx,
        id: Uuid,
        patience: StdDuration,
    ) -> Result<Operation, OperationError> {
        let reach = self.reach(ctx, "operations:read")?;
        let until = tokio::time::Instant::now() + patience;
        loop {
            let changed = self.finished.notified();
            let operation = self.load(id, &reach).await?;
            if operation.finished_at.is_some() {
                return Ok(operation);
            }
            if tokio::time::Instant::now() >= until {
                return Err(OperationError::WaitTimedOut);
            }
            let _ = tokio::time::timeout_at(until, changed).await;
        }
    }

    /// Stop an operation, or some of its tasks. Returns how many tasks were open. Tasks that run are asked to stop;
    /// what they answer is their state.
    pub async fn cancel(
        &self,
        ctx: &Ctx,
        id: Uuid,
        tasks: Option<Vec<Uuid>>,
    ) -> Result<usize, OperationError> {
        let reach = self.reach(ctx, "operations:cancel")?;
        store::get(self.core.db.read(), id, &reach).await?.ok_or(OperationError::NotFound("operation"))?;
        let tasks = self.cancellable(id, tasks, &reach).await?;
        let change = Change::new("operation.cancelled", "operation", id).after(json!({"tasks": tasks}));
        self.core.audit.record(ctx, change).await?;
        let (done, answer) = oneshot::channel();
        let tasks = tasks.map(|ids| ids.into_iter().collect());
        if !self.dispatcher.signal(Signal::Cancel { operation: id, tasks, done }).await {
            return Err(OperationError::Stopping);
        }
        let open = answer.await.map_err(|_| OperationError::Stopping)?;
        let data = json!({"operation_id": id, "open": open});
        self.core.events.publish(NewEvent::new("operation.cancelled", "operations:read", data).operation(id));
        Ok(open)
    }

    /// The tasks to cancel: of those named all must be within reach, and of all only these are meant.
    async fn cancellable(
        &self,
        id: Uuid,
        tasks: Option<Vec<Uuid>>,
        reach: &Reach,
    ) -> Result<Option<Vec<Uuid>>, OperationError> {
        if reach.is_all() {
            return Ok(tasks);
        }
        let seen = store::all_tasks(self.core.db.read(), id, reach).await?;
        let seen: Vec<Uuid> = seen.into_iter().map(|t| t.id).collect();
        match tasks {
            Some(tasks) if tasks.iter().any(|t| !seen.contains(t)) => Err(OperationError::NotFound("task")),
            Some(tasks) => Ok(Some(tasks)),
            None => Ok(Some(seen)),
        }
    }

    /// Run tasks again, as a new operation: the named ones, or those in `states` (every final state but succeeded,
    /// when both are empty). Needs `operations:cancel`; the machines must still be within the actor's reach.
    pub async fn retry(
        &self,
        ctx: &Ctx,
        id: Uuid,
        tasks: &[Uuid],
        states: &[TaskState],
        idempotency_key: Option<String>,
    ) -> Result<Uuid, OperationError> {
        let scope = ctx.require_scope("operations:cancel")?;
        let db = self.core.db.read();
        let reach = Reach::of(&scope, &self.core.selectors.env());
        let old = store::get(db, id, &reach).await?.ok_or(OperationError::NotFound("operation"))?;
        let scope = match &old.engine_id {
            // To run it again is to run it.
            None => scope.and(ctx.require_scope(commands::permission(&old.command))?),
            Some(_) => scope,
        };
        let wanted = |t: &task::Model| {
            let state = state::parse(&t.state).unwrap_or_default();
            match (tasks.is_empty(), states.is_empty()) {
                (false, _) => tasks.contains(&t.id) && state.is_final(),
                (true, false) => states.contains(&state) && state.is_final(),
                (true, true) => state.is_final() && state != TaskState::Succeeded,
            }
        };
        let chosen: Vec<task::Model> =
            store::all_tasks(db, id, &reach).await?.into_iter().filter(wanted).collect();
        if chosen.is_empty() {
            return Err(OperationError::NothingToRetry);
        }
        let new = again(&old, idempotency_key);
        if let Some(known) = self.known(&new).await? {
            return Ok(known);
        }
        let ids: HashSet<Uuid> = chosen.iter().map(|t| t.machine_id).collect();
        let names: BTreeMap<Uuid, String> =
            machines::targets::by_ids(db, &ids, &scope, &self.core.selectors.env())
                .await?
                .into_iter()
                .collect();
        let tasks: Vec<NewTask> = chosen
            .iter()
            .filter_map(|t| {
                let name = names.get(&t.machine_id)?.clone();
                Some(NewTask { machine: t.machine_id, name, retry_of: Some(t.id) })
            })
            .collect();
        if tasks.is_empty() {
            return Err(OperationError::NoMachines);
        }
        self.store(ctx, new, tasks, Some(id)).await
    }

    /// A machine was removed or rejected: its open tasks end.
    pub async fn machine_gone(&self, machine: Uuid) {
        self.dispatcher.signal(Signal::MachineRemoved(machine)).await;
    }

    /// Resolves when everything handed over before is committed. For tests and shutdown.
    pub async fn settled(&self) {
        let (done, answer) = oneshot::channel();
        if self.dispatcher.signal(Signal::Barrier(done)).await {
            let _ = answer.await;
        }
    }
}

struct NewTask {
    machine: Uuid,
    name: String,
    retry_of: Option<Uuid>,
}

fn again(old: &operation::Model, idempotency_key: Option<String>) -> NewOperation {
    let queue = (old.start_by - old.created_at).num_seconds();
    NewOperation {
        command: old.command.clone(),
        title: old.title.clone(),
        engine: old.engine_id.clone().zip(old.engine_version.clone()),
        targets: Targets::Machines(Vec::new()),
        scope: None,
        payload: old.payload.clone(),
        secrets: serde_json::from_value(old.secrets.clone()).unwrap_or_default(),
        timeout_s: old.timeout_s.try_into().unwrap_or(0),
        queue_timeout_s: queue.try_into().unwrap_or(0),
        concurrency: old.concurrency.try_into().unwrap_or(0),
        idempotency_key,
    }
}

fn check(new: &NewOperation) -> Result<(), OperationError> {
    let invalid = |field, detail: &str| Err(OperationError::Invalid { field, detail: detail.into() });
    let prefix = new.engine.as_ref().map_or("core", |(id, _)| id.as_str());
    let named = new.command.split_once('.').is_some_and(|(p, name)| p == prefix && !name.is_empty());
    if !named || new.command.len() > 200 {
        return invalid("command", "A command is `core.<name>` or `<engine>.<name>`.");
    }
    if new.engine.is_none() {
        commands::check(&new.command, &new.payload)?;
    }
    if new.title.len() > 200 {
        return invalid("title", "A title has at most 200 bytes.");
    }
    if new.idempotency_key.as_ref().is_some_and(|k| k.is_empty() || k.len() > 200) {
        return invalid("idempotency_key", "An idempotency key has 1 to 200 bytes.");
    }
    if json_len(&new.payload) > MAX_PAYLOAD_BYTES {
        return invalid("payload", "A payload has at most 1 MiB.");
    }
    if new.secrets.len() > 100 || new.secrets.iter().any(|(at, _)| new.payload.pointer(at).is_none()) {
        return invalid("secrets", "Each secret needs a place in the payload, and there are at most 100.");
    }
    Ok(())
}

fn json_len(value: &Value) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |v| v.len())
}
