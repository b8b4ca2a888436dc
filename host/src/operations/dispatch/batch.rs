//! What one turn of the dispatcher changes, and how it is written: few statements for many tasks.

use std::collections::{BTreeMap, HashMap};

use agent_protocol::{Frame, task::TaskResult};
use chrono::{DateTime, Utc};
use plugin_api::services::operations::{TaskEvent, TaskState};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde_json::Value;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    db::Db,
    operations::{
        entity::{operation, output, task},
        state::{self, Happening, Transition},
    },
};

/// Ids in one statement: below every database's limit of parameters.
const CHUNK: usize = 400;

/// A task that ends.
#[derive(Debug)]
pub(super) struct Ending {
    pub task: Uuid,
    pub state: TaskState,
    pub result: Option<Value>,
    pub error: Option<(String, String)>,
}

/// A command to send after the commit.
#[derive(Debug)]
pub(super) struct Sending {
    pub task: Uuid,
    pub machine: Uuid,
    pub operation: Uuid,
    pub attempt: u32,
    pub deadline: DateTime<Utc>,
}

/// Something to tell about a task after the commit.
#[derive(Debug)]
pub(super) struct Telling {
    pub machine: Uuid,
    pub engine: Option<String>,
    /// Whether the operation is small enough for an event per task.
    pub publish: bool,
    pub event: TaskEvent,
}

/// Output to show live.
#[derive(Debug)]
pub(super) struct Showing {
    pub operation: Uuid,
    pub task: Uuid,
    pub machine: Uuid,
    pub seq: u64,
    pub stream: &'static str,
    pub data: Vec<u8>,
}

/// How much output of a task is stored.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OutputTotals {
    pub chunks: u64,
    pub bytes: u64,
    pub truncated: bool,
}

/// What one turn changes, and what follows.
pub(super) struct Batch {
    pub now: DateTime<Utc>,
    // To be written, in this order.
    pub dispatched: BTreeMap<DateTime<Utc>, Vec<Uuid>>,
    pub resent: Vec<Uuid>,
    pub accepted: Vec<Uuid>,
    pub started: Vec<Uuid>,
    pub cancel_requested: Vec<Uuid>,
    pub cancelled_operations: Vec<Uuid>,
    pub outputs: Vec<output::ActiveModel>,
    pub output_totals: HashMap<Uuid, OutputTotals>,
    pub endings: Vec<Ending>,
    pub strangers: Vec<(Uuid, TaskResult)>,
    pub finished_operations: Vec<Uuid>,
    // To be done once it is written.
    pub frames: Vec<(Uuid, Frame)>,
    pub sendings: Vec<Sending>,
    pub tellings: Vec<Telling>,
    pub showings: Vec<Showing>,
    pub progress: Vec<(Uuid, Uuid, agent_protocol::task::Progress)>,
    pub touched_operations: std::collections::BTreeSet<Uuid>,
    pub answers: Vec<(oneshot::Sender<usize>, usize)>,
    pub barriers: Vec<oneshot::Sender<()>>,
}

impl Batch {
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            dispatched: BTreeMap::new(),
            resent: Vec::new(),
            accepted: Vec::new(),
            started: Vec::new(),
            cancel_requested: Vec::new(),
            cancelled_operations: Vec::new(),
            outputs: Vec::new(),
            output_totals: HashMap::new(),
            endings: Vec::new(),
            strangers: Vec::new(),
            finished_operations: Vec::new(),
            frames: Vec::new(),
            sendings: Vec::new(),
            tellings: Vec::new(),
            showings: Vec::new(),
            progress: Vec::new(),
            touched_operations: Default::default(),
            answers: Vec::new(),
            barriers: Vec::new(),
        }
    }

    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.dispatched.is_empty()
            && self.resent.is_empty()
            && self.accepted.is_empty()
            && self.started.is_empty()
            && self.cancel_requested.is_empty()
            && self.cancelled_operations.is_empty()
            && self.outputs.is_empty()
            && self.output_totals.is_empty()
            && self.endings.is_empty()
            && self.strangers.is_empty()
            && self.finished_operations.is_empty()
    }

    /// Write everything, or nothing.
    pub async fn commit(&self, db: &Db) -> Result<(), DbErr> {
        let tx = db.begin().await?;
        self.write_progress(&tx).await?;
        self.write_outputs(&tx).await?;
        for ending in &self.endings {
            write_ending(&tx, ending, self.now).await?;
        }
        for (machine, result) in &self.strangers {
            write_late(&tx, *machine, result).await?;
        }
        for ids in self.finished_operations.chunks(CHUNK) {
            operation::Entity::update_many()
                .col_expr(operation::Column::FinishedAt, Expr::value(self.now))
                .filter(operation::Column::Id.is_in(ids.iter().copied()))
                .exec(&tx)
                .await?;
        }
        tx.commit().await
    }

    async fn write_progress(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        use task::Column as C;
        let now = || Expr::value(self.now);
        for (deadline, ids) in &self.dispatched {
            let set = [
                (C::State, Expr::value(state::name(TaskState::Dispatched))),
                (C::Attempt, Expr::value(1)),
                (C::DispatchedAt, now()),
                (C::Deadline, Expr::value(*deadline)),
            ];
            update(tx, ids, &set).await?;
        }
        update(tx, &self.resent, &[(C::Attempt, Expr::col(C::Attempt).add(1))]).await?;
        update(tx, &self.accepted, &[(C::AcceptedAt, now())]).await?;
        let running = [(C::State, Expr::value(state::name(TaskState::Running))), (C::StartedAt, now())];
        update(tx, &self.started, &running).await?;
        update(tx, &self.cancel_requested, &[(C::CancelRequested, Expr::value(true))]).await?;
        for id in &self.cancelled_operations {
            operation::Entity::update_many()
                .col_expr(operation::Column::CancelledAt, Expr::value(self.now))
                .filter(operation::Column::Id.eq(*id))
                .filter(operation::Column::CancelledAt.is_null())
                .exec(tx)
                .await?;
        }
        Ok(())
    }

    async fn write_outputs(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        for rows in self.outputs.chunks(100) {
            output::Entity::insert_many(rows.to_vec())
                .on_conflict(
                    OnConflict::columns([output::Column::TaskId, output::Column::Seq])
                        .do_nothing()
                        .to_owned(),
                )
                .exec_without_returning(tx)
                .await?;
        }
        for (id, totals) in &self.output_totals {
            use task::Column as C;
            let set = [
                (C::OutputChunks, Expr::value(totals.chunks as i64)),
                (C::OutputBytes, Expr::value(totals.bytes as i64)),
                (C::OutputTruncated, Expr::value(totals.truncated)),
            ];
            update(tx, &[*id], &set).await?;
        }
        Ok(())
    }
}

async fn update(tx: &DatabaseTransaction, ids: &[Uuid], set: &[(task::Column, Expr)]) -> Result<(), DbErr> {
    for ids in ids.chunks(CHUNK) {
        let mut query = task::Entity::update_many().filter(task::Column::Id.is_in(ids.iter().copied()));
        for (column, value) in set {
            query = query.col_expr(*column, value.clone());
        }
        query.exec(tx).await?;
    }
    Ok(())
}

async fn write_ending(tx: &impl ConnectionTrait, ending: &Ending, now: DateTime<Utc>) -> Result<(), DbErr> {
    let (code, message) = ending.error.clone().unzip();
    let row = task::ActiveModel {
        state: Set(state::name(ending.state).into()),
        finished_at: Set(Some(now)),
        result: Set(ending.result.clone()),
        error_code: Set(code),
        error_message: Set(message),
        ..Default::default()
    };
    task::Entity::update_many().set(row).filter(task::Column::Id.eq(ending.task)).exec(tx).await.map(drop)
}

/// A result of a task that is not open any more: evidence when the host had given up, a repetition otherwise.
async fn write_late(tx: &impl ConnectionTrait, machine: Uuid, result: &TaskResult) -> Result<(), DbErr> {
    let Some(row) = task::Entity::find_by_id(result.task_id).one(tx).await? else { return Ok(()) };
    let known = state::parse(&row.state).unwrap_or_default();
    let late = state::next(known, Happening::Ended(result.outcome)) == Transition::Late;
    if row.machine_id != machine || !late || row.late_result.is_some() || row.result.is_some() {
        return Ok(());
    }
    let evidence = serde_json::json!({
        "outcome": result.outcome,
        "result": super::live::json_or_text(&result.payload),
        "error": result.error.as_ref().map(|e| serde_json::json!({"code": e.code, "message": e.message})),
        "finished_at": DateTime::from_timestamp_millis(result.finished_at),
    });
    let set = task::ActiveModel { late_result: Set(Some(evidence)), ..Default::default() };
    task::Entity::update_many().set(set).filter(task::Column::Id.eq(result.task_id)).exec(tx).await.map(drop)
}
