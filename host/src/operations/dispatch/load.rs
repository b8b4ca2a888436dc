//! Open tasks from the database into memory: at the start, after a failure, and for each new operation.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use plugin_api::services::operations::TaskState;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Loop,
    batch::{Batch, OutputTotals},
    live::{Live, LiveOperation, LiveTask, OperationFacts},
};
use crate::operations::{
    entity::{operation, task},
    state,
};

const OPEN: [TaskState; 3] = [TaskState::Queued, TaskState::Dispatched, TaskState::Running];

/// A count of tasks.
#[derive(Debug, FromQueryResult)]
struct Count {
    operation_id: Uuid,
    state: String,
    n: i64,
}

impl Loop {
    /// Forget everything and read it again, for as long as it takes.
    pub(super) async fn reload(&mut self, stop: &CancellationToken) {
        let mut wait = Duration::from_millis(50);
        while !stop.is_cancelled() {
            match load(self.around.db.read(), None).await {
                Ok(live) => {
                    self.live = live;
                    return;
                }
                Err(error) => tracing::error!(%error, "operations cannot be read, trying again"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
    }

    /// Take in a new operation; its tasks are ready where the machine is connected.
    pub(super) async fn created(&mut self, operation: Uuid, batch: &mut Batch) {
        if self.live.operations.contains_key(&operation) {
            return;
        }
        match load(self.around.db.read(), Some(operation)).await {
            Ok(new) => self.live.merge(new),
            Err(error) => {
                // It is stored; the next reload finds it. Until then its tasks wait.
                tracing::error!(%error, operation.id = %operation, "a new operation cannot be read");
                return;
            }
        }
        batch.touched_operations.insert(operation);
    }
}

impl Live {
    fn merge(&mut self, new: Live) {
        self.operations.extend(new.operations);
        for (id, task) in new.tasks {
            let machine = self.machines.entry(task.machine).or_default();
            machine.tasks.insert(id);
            if machine.session.is_some() && task.state == TaskState::Queued {
                if let Some(operation) = self.operations.get_mut(&task.operation) {
                    operation.ready.insert(id);
                }
                self.to_pump.insert(task.operation);
            }
            self.tasks.insert(id, task);
        }
    }
}

/// Read open tasks with their operations; of one operation when it is given.
async fn load(db: &impl ConnectionTrait, only: Option<Uuid>) -> Result<Live, DbErr> {
    let open = OPEN.map(state::name);
    let mut tasks = task::Entity::find().filter(task::Column::State.is_in(open));
    let mut operations = operation::Entity::find().filter(operation::Column::FinishedAt.is_null());
    let mut counts = task::Entity::find()
        .select_only()
        .column(task::Column::OperationId)
        .column(task::Column::State)
        .column_as(task::Column::Id.count(), "n")
        .group_by(task::Column::OperationId)
        .group_by(task::Column::State);
    match only {
        Some(id) => {
            tasks = tasks.filter(task::Column::OperationId.eq(id));
            operations = operations.filter(operation::Column::Id.eq(id));
            counts = counts.filter(task::Column::OperationId.eq(id));
        }
        None => {
            let unfinished = operation::Entity::find()
                .select_only()
                .column(operation::Column::Id)
                .filter(operation::Column::FinishedAt.is_null())
                .into_query();
            counts = counts.filter(task::Column::OperationId.in_subquery(unfinished));
        }
    }
    let mut live = Live::default();
    for row in operations.all(db).await? {
        live.operations.insert(row.id, live_operation(row));
    }
    for count in counts.into_model::<Count>().all(db).await? {
        let state = state::parse(&count.state).unwrap_or_default();
        if let Some(operation) = live.operations.get_mut(&count.operation_id) {
            operation.counts.insert(state, count.n.try_into().unwrap_or(0));
        }
    }
    for row in tasks.all(db).await? {
        live.insert(row);
    }
    Ok(live)
}

fn live_operation(row: operation::Model) -> LiveOperation {
    let facts = OperationFacts {
        command: row.command,
        engine: row.engine_id.zip(row.engine_version),
        payload: row.payload,
        secrets: serde_json::from_value(row.secrets).unwrap_or_default(),
        timeout: chrono::Duration::seconds(row.timeout_s.into()),
        concurrency: row.concurrency.try_into().unwrap_or(0),
        start_by: row.start_by,
        total: row.total.try_into().unwrap_or(0),
    };
    LiveOperation {
        facts: Arc::new(facts),
        ready: Default::default(),
        in_flight: 0,
        open: 0,
        counts: BTreeMap::new(),
    }
}

impl Live {
    fn insert(&mut self, row: task::Model) {
        let state = state::parse(&row.state).unwrap_or_default();
        let Some(operation) = self.operations.get_mut(&row.operation_id) else { return };
        operation.open += 1;
        let machine = self.machines.entry(row.machine_id).or_default();
        machine.tasks.insert(row.id);
        if matches!(state, TaskState::Dispatched | TaskState::Running) {
            operation.in_flight += 1;
            machine.in_flight += 1;
        }
        let task = LiveTask {
            operation: row.operation_id,
            machine: row.machine_id,
            machine_name: row.machine_name,
            state,
            accepted: row.accepted_at.is_some(),
            attempt: row.attempt.try_into().unwrap_or(0),
            cancel_requested: row.cancel_requested,
            retry_of: row.retry_of,
            deadline: row.deadline,
            dispatched_at: row.dispatched_at,
            started_at: row.started_at,
            output: OutputTotals {
                chunks: row.output_chunks.try_into().unwrap_or(0),
                bytes: row.output_bytes.try_into().unwrap_or(0),
                truncated: row.output_truncated,
            },
        };
        self.tasks.insert(row.id, task);
    }
}
