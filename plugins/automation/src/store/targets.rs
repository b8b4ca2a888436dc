//! Queries on the targets of runs.

use plugin_sdk::{
    payloads::operations::TaskState,
    sea_orm::{
        ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
        QueryOrder, QuerySelect,
        sea_query::{Expr, ExprTrait, Order},
    },
};
use uuid::Uuid;

use super::Result;
use crate::{
    entities::run_target,
    model::{limits, run_state::task_state_name},
};

/// Rows inserted by one statement; SQLite and PostgreSQL limit the values of one.
const CHUNK: usize = 1_000;

/// Filters of the results.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// States.
    pub states: Vec<TaskState>,
    /// Machines.
    pub machine_ids: Vec<Uuid>,
    /// Group of identical output.
    pub digest: Option<String>,
}

/// Add the frozen targets of a run.
pub async fn insert<C: ConnectionTrait>(db: &C, rows: Vec<run_target::Model>) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        let models = chunk.iter().cloned().map(IntoActiveModel::into_active_model);
        run_target::Entity::insert_many(models).exec_without_returning(db).await?;
    }
    Ok(())
}

/// A page of results, in the order of the targets.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    run_id: Uuid,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<run_target::Model>> {
    let mut query = run_target::Entity::find().filter(run_target::Column::RunId.eq(run_id));
    if !filter.states.is_empty() {
        let names = filter.states.iter().map(|s| task_state_name(*s));
        query = query.filter(run_target::Column::State.is_in(names));
    }
    if !filter.machine_ids.is_empty() {
        query = query.filter(run_target::Column::MachineId.is_in(filter.machine_ids.iter().copied()));
    }
    if let Some(digest) = &filter.digest {
        query = query.filter(run_target::Column::Digest.eq(digest.clone()));
    }
    if let Some(after) = after {
        query = query.filter(run_target::Column::Id.gt(after));
    }
    query.order_by_asc(run_target::Column::Id).limit(limit).all(db).await
}

/// Every target of a run that the filter lets through; machines are filtered here, however many.
pub async fn all<C: ConnectionTrait>(
    db: &C,
    run_id: Uuid,
    filter: &Filter,
) -> Result<Vec<run_target::Model>> {
    let wanted: std::collections::HashSet<_> = filter.machine_ids.iter().copied().collect();
    let filter = Filter { machine_ids: Vec::new(), ..filter.clone() };
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = list(db, run_id, &filter, after, 10_000).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.id);
        rows.extend(page.into_iter().filter(|t| wanted.is_empty() || wanted.contains(&t.machine_id)));
        if rows.len() > limits::TARGETS {
            return Err(DbErr::Custom("a run has more targets than there can be".into()));
        }
    }
}

/// The target on a machine.
pub async fn on_machine<C: ConnectionTrait>(
    db: &C,
    run_id: Uuid,
    machine_id: Uuid,
) -> Result<Option<run_target::Model>> {
    run_target::Entity::find()
        .filter(run_target::Column::RunId.eq(run_id))
        .filter(run_target::Column::MachineId.eq(machine_id))
        .one(db)
        .await
}

/// Write a target's new state and result. False when its state is not `from` any longer.
pub async fn update<C: ConnectionTrait>(db: &C, row: &run_target::Model, from: &str) -> Result<bool> {
    let done = run_target::Entity::update_many()
        .col_expr(run_target::Column::State, row.state.clone().into())
        .col_expr(run_target::Column::TaskId, Expr::val(row.task_id.clone()))
        .col_expr(run_target::Column::ExitCode, Expr::val(row.exit_code))
        .col_expr(run_target::Column::Signal, Expr::val(row.signal))
        .col_expr(run_target::Column::DurationMs, Expr::val(row.duration_ms))
        .col_expr(run_target::Column::StdoutBytes, Expr::val(row.stdout_bytes))
        .col_expr(run_target::Column::StderrBytes, Expr::val(row.stderr_bytes))
        .col_expr(run_target::Column::Truncated, row.truncated.into())
        .col_expr(run_target::Column::Digest, Expr::val(row.digest.clone()))
        .col_expr(run_target::Column::ErrorCode, Expr::val(row.error_code.clone()))
        .col_expr(run_target::Column::ErrorMessage, Expr::val(row.error_message.clone()))
        .col_expr(run_target::Column::DispatchedAt, Expr::val(row.dispatched_at))
        .col_expr(run_target::Column::StartedAt, Expr::val(row.started_at))
        .col_expr(run_target::Column::FinishedAt, Expr::val(row.finished_at))
        .filter(run_target::Column::Id.eq(row.id))
        .filter(run_target::Column::State.eq(from))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Cancel every target that is still queued. Answers how many.
pub async fn cancel_queued<C: ConnectionTrait>(db: &C, run_id: Uuid) -> Result<i64> {
    let done = run_target::Entity::update_many()
        .col_expr(run_target::Column::State, task_state_name(TaskState::Cancelled).into())
        .filter(run_target::Column::RunId.eq(run_id))
        .filter(run_target::Column::State.eq(task_state_name(TaskState::Queued)))
        .exec(db)
        .await?;
    Ok(i64::try_from(done.rows_affected).unwrap_or(i64::MAX))
}

/// Machines with the same outcome and the same output.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Group {
    /// State.
    pub state: String,
    /// Digest of exit and output; absent without a result.
    pub digest: Option<String>,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// What went wrong.
    pub error_code: Option<String>,
    /// How many machines.
    pub machines: i64,
}

/// Groups of a run, largest first.
pub async fn groups<C: ConnectionTrait>(db: &C, run_id: Uuid) -> Result<Vec<Group>> {
    run_target::Entity::find()
        .select_only()
        .column(run_target::Column::State)
        .column(run_target::Column::Digest)
        .column(run_target::Column::ExitCode)
        .column(run_target::Column::ErrorCode)
        .column_as(run_target::Column::Id.count(), "machines")
        .filter(run_target::Column::RunId.eq(run_id))
        .group_by(run_target::Column::State)
        .group_by(run_target::Column::Digest)
        .group_by(run_target::Column::ExitCode)
        .group_by(run_target::Column::ErrorCode)
        .order_by(Expr::col(run_target::Column::Id).count(), Order::Desc)
        .limit(limits::GROUPS as u64)
        .into_model::<Group>()
        .all(db)
        .await
}

/// The first machines of a group.
pub async fn of_group<C: ConnectionTrait>(
    db: &C,
    run_id: Uuid,
    group: &Group,
    limit: u64,
) -> Result<Vec<run_target::Model>> {
    let mut query = run_target::Entity::find()
        .filter(run_target::Column::RunId.eq(run_id))
        .filter(run_target::Column::State.eq(group.state.clone()));
    query = match &group.digest {
        Some(digest) => query.filter(run_target::Column::Digest.eq(digest.clone())),
        None => query.filter(run_target::Column::Digest.is_null()),
    };
    query = match &group.error_code {
        Some(code) => query.filter(run_target::Column::ErrorCode.eq(code.clone())),
        None => query.filter(run_target::Column::ErrorCode.is_null()),
    };
    query.order_by_asc(run_target::Column::Id).limit(limit).all(db).await
}

/// Remove the targets of runs.
pub async fn delete<C: ConnectionTrait>(db: &C, run_ids: &[Uuid]) -> Result<()> {
    run_target::Entity::delete_many()
        .filter(run_target::Column::RunId.is_in(run_ids.iter().copied()))
        .exec(db)
        .await
        .map(|_| ())
}
