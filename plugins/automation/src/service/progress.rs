//! What becomes of tasks: events of the host are hints, its tasks are the truth, and both are applied the same way.

use plugin_sdk::{
    payloads::operations::{Task, TaskEvent, TaskState, TasksRequest},
    sea_orm::TransactionTrait,
};
use uuid::Uuid;

use super::{Service, flat, runs::state_of};
use crate::{
    entities::{run, run_target},
    error::Result,
    events,
    model::{
        digest,
        run_state::{RunState, advances, parse_task_state, task_state_name},
        wire::ScriptResult,
    },
    store,
};

impl Service {
    /// A task changed. The same event may come twice, and an old one after a new one.
    pub async fn task_changed(&self, event: TaskEvent) -> Result<()> {
        match store::runs::by_operation(&self.db, &event.task.operation_id).await? {
            Some(row) => self.apply(&row, &event.task).await,
            // The operation is just being made; what it did so far is read when the run knows it.
            None => Ok(()),
        }
    }

    /// Read every task of a run from the host.
    pub(super) async fn sync(&self, row: &run::Model) -> Result<()> {
        let Some(operation_id) = &row.operation_id else { return Ok(()) };
        let mut after = None;
        loop {
            let request = TasksRequest { operation_id: operation_id.clone(), after, limit: 0 };
            let page = self.host.operations().tasks(&request).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for task in page.iter().filter(|t| t.state != TaskState::Queued) {
                self.apply(row, task).await?;
            }
        }
    }

    async fn apply(&self, row: &run::Model, task: &Task) -> Result<()> {
        let Ok(machine_id) = Uuid::try_parse(&task.machine_id) else {
            tracing::warn!(machine.id = %task.machine_id, "a task's machine has no UUID");
            return Ok(());
        };
        let (run_id, task, now) = (row.id, task.clone(), self.now());
        let moved = self
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    let Some(old) = store::targets::on_machine(tx, run_id, machine_id).await? else {
                        return Ok(None);
                    };
                    let from = parse_task_state(&old.state).unwrap_or_default();
                    let new = updated(&old, &task);
                    let to = parse_task_state(&new.state).unwrap_or_default();
                    if !advances(from, to) || !store::targets::update(tx, &new, &old.state).await? {
                        return Ok(None);
                    }
                    store::runs::count(tx, run_id, from, to, 1).await?;
                    let Some(row) = store::runs::get(tx, run_id).await? else { return Ok(None) };
                    let (before, after) = (state_of(&row), RunState::derive(&store::runs::counts(&row)));
                    let changed =
                        before != after && store::runs::advance(tx, run_id, before, after, None, now).await?;
                    Ok(Some(changed))
                })
            })
            .await
            .map_err(flat)?;
        if moved.is_some() {
            self.wake();
        }
        if moved == Some(true)
            && let Some(row) = store::runs::get(&self.db, run_id).await?
        {
            if state_of(&row).is_final() {
                self.finished(&row).await?;
            } else {
                self.publish(events::of_run(events::RUN_PROGRESSED, &row)).await;
            }
        }
        Ok(())
    }

    /// A run ended: tell, and begin the one of its schedule that waits.
    pub(super) async fn finished(&self, row: &run::Model) -> Result<()> {
        self.wake();
        self.publish(events::of_run(events::RUN_FINISHED, row)).await;
        match row.schedule_id {
            // Boxed: starting the next run may end it at once, and come back here.
            Some(schedule_id) => Box::pin(self.start_waiting(schedule_id)).await,
            None => Ok(()),
        }
    }
}

/// A target with what a task says of it.
fn updated(old: &run_target::Model, task: &Task) -> run_target::Model {
    let result: Option<ScriptResult> = serde_json::from_value(task.result.clone()).ok();
    let failure = task
        .error
        .as_ref()
        .map(|e| (e.code.clone(), e.message.clone()))
        .or_else(|| result.as_ref()?.error.as_ref().map(|e| (e.code.clone(), e.message.clone())));
    let state = match (task.state, &failure) {
        // An agent that ends a script in good order reports a result; what is in it counts.
        (TaskState::Succeeded | TaskState::Failed, Some((code, _))) => match code.as_str() {
            "timed_out" => TaskState::TimedOut,
            "cancelled" => TaskState::Cancelled,
            _ => TaskState::Failed,
        },
        (state, _) => state,
    };
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let known = result.as_ref().filter(|r| !r.stdout_sha256.is_empty());
    run_target::Model {
        task_id: Some(task.id.clone()),
        state: task_state_name(state).into(),
        exit_code: result.as_ref().and_then(|r| r.exit_code).or(old.exit_code),
        signal: result.as_ref().and_then(|r| r.signal).or(old.signal),
        duration_ms: result.as_ref().map(|r| number(r.duration_ms)).or(old.duration_ms),
        stdout_bytes: result.as_ref().map(|r| number(r.stdout_bytes)).or(old.stdout_bytes),
        stderr_bytes: result.as_ref().map(|r| number(r.stderr_bytes)).or(old.stderr_bytes),
        truncated: result.as_ref().is_some_and(|r| r.truncated),
        digest: known.map(output_digest).or_else(|| old.digest.clone()),
        error_code: failure.as_ref().map(|(code, _)| code.chars().take(100).collect()),
        error_message: failure.map(|(_, message)| message.chars().take(2_000).collect()),
        dispatched_at: task.dispatched_at.or(old.dispatched_at),
        started_at: task.started_at.or(old.started_at),
        finished_at: task.finished_at.or(old.finished_at),
        ..old.clone()
    }
}

/// Equal for equal exits with equal output.
fn output_digest(result: &ScriptResult) -> String {
    digest::of_json(
        "automation.output.1",
        &(result.exit_code, result.signal, &result.stdout_sha256, &result.stderr_sha256),
    )
}
