//! Queries on runs.

use chrono::{DateTime, Utc};
use plugin_sdk::{
    payloads::operations::TaskState,
    sea_orm::{
        ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
        QuerySelect, QueryTrait,
        sea_query::{Expr, ExprTrait},
    },
};
use uuid::Uuid;

use super::{PageRequest, Result, Viewer, scripts};
use crate::{
    entities::{run, run_target, script},
    model::run_state::{Counts, RunState},
};

/// Filters of the history.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Script.
    pub script_id: Option<Uuid>,
    /// States.
    pub states: Vec<RunState>,
    /// Who made it.
    pub actor: Option<String>,
    /// A machine among its targets.
    pub machine_id: Option<Uuid>,
    /// Schedule that made it.
    pub schedule_id: Option<Uuid>,
    /// Made at or after.
    pub since: Option<DateTime<Utc>>,
    /// Made before.
    pub until: Option<DateTime<Utc>>,
}

/// What a viewer may see: their own runs, and those of scripts they may see whose targets they reach.
pub fn visible(viewer: &Viewer) -> Condition {
    let reach = match viewer.scope.as_str() {
        "" => Condition::all(),
        scope => Condition::all().add(run::Column::Scope.eq(scope)),
    };
    if viewer.all {
        return Condition::any().add(run::Column::Principal.eq(viewer.principal.clone())).add(reach);
    }
    let scripts = script::Entity::find()
        .select_only()
        .column(script::Column::Id)
        .filter(scripts::visible(viewer))
        .into_query();
    Condition::any()
        .add(run::Column::Principal.eq(viewer.principal.clone()))
        .add(reach.add(run::Column::ScriptId.in_subquery(scripts)))
}

/// A page of runs, newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    viewer: &Viewer,
    filter: &Filter,
    page: PageRequest,
) -> Result<Vec<run::Model>> {
    let mut query = run::Entity::find().filter(visible(viewer));
    if let Some(script_id) = filter.script_id {
        query = query.filter(run::Column::ScriptId.eq(script_id));
    }
    if !filter.states.is_empty() {
        query = query.filter(run::Column::State.is_in(filter.states.iter().map(|s| s.name())));
    }
    if let Some(actor) = &filter.actor {
        query =
            query.filter(run::Column::Principal.eq(actor.clone()).or(run::Column::Actor.eq(actor.clone())));
    }
    if let Some(schedule_id) = filter.schedule_id {
        query = query.filter(run::Column::ScheduleId.eq(schedule_id));
    }
    if let Some(machine_id) = filter.machine_id {
        let on_machine = run_target::Entity::find()
            .select_only()
            .column(run_target::Column::RunId)
            .filter(run_target::Column::MachineId.eq(machine_id))
            .into_query();
        query = query.filter(run::Column::Id.in_subquery(on_machine));
    }
    if let Some(since) = filter.since {
        query = query.filter(run::Column::CreatedAt.gte(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(run::Column::CreatedAt.lt(until));
    }
    if let Some(after) = page.after {
        query = query.filter(run::Column::Id.lt(after));
    }
    query.order_by_desc(run::Column::Id).limit(page.limit).all(db).await
}

/// One run that the viewer may see.
pub async fn find<C: ConnectionTrait>(db: &C, viewer: &Viewer, id: Uuid) -> Result<Option<run::Model>> {
    run::Entity::find_by_id(id).filter(visible(viewer)).one(db).await
}

/// One run.
pub async fn get<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<run::Model>> {
    run::Entity::find_by_id(id).one(db).await
}

/// The run that an operation belongs to.
pub async fn by_operation<C: ConnectionTrait>(db: &C, operation_id: &str) -> Result<Option<run::Model>> {
    run::Entity::find().filter(run::Column::OperationId.eq(operation_id)).one(db).await
}

/// The run made for a key.
pub async fn by_key<C: ConnectionTrait>(db: &C, key: &str) -> Result<Option<run::Model>> {
    run::Entity::find().filter(run::Column::Idempotency.eq(key)).one(db).await
}

/// Add a run.
pub async fn insert<C: ConnectionTrait>(db: &C, row: run::Model) -> Result<()> {
    run::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(|_| ())
}

/// Runs in some states, oldest first, at most `limit`.
pub async fn in_states<C: ConnectionTrait>(
    db: &C,
    states: &[RunState],
    limit: u64,
) -> Result<Vec<run::Model>> {
    run::Entity::find()
        .filter(run::Column::State.is_in(states.iter().map(|s| s.name())))
        .order_by_asc(run::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Whether a schedule has a run that has not ended.
pub async fn open_of_schedule<C: ConnectionTrait>(db: &C, schedule_id: Uuid) -> Result<bool> {
    let open = RunState::ALL.into_iter().filter(|s| !s.is_final()).map(RunState::name);
    let found = run::Entity::find()
        .filter(run::Column::ScheduleId.eq(schedule_id))
        .filter(run::Column::State.is_in(open))
        .limit(1)
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Move a run from one state to another. False when it was not in `from`.
pub async fn advance<C: ConnectionTrait>(
    db: &C,
    id: Uuid,
    from: RunState,
    to: RunState,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut update = run::Entity::update_many()
        .col_expr(run::Column::State, to.name().into())
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(from.name()));
    if let Some(reason) = reason {
        update = update.col_expr(run::Column::Reason, Expr::val(reason));
    }
    if to.is_final() {
        update = update.col_expr(run::Column::FinishedAt, Expr::val(now));
    }
    Ok(update.exec(db).await?.rows_affected == 1)
}

/// Note the operation that runs it.
pub async fn started<C: ConnectionTrait>(
    db: &C,
    id: Uuid,
    operation_id: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = run::Entity::update_many()
        .col_expr(run::Column::State, RunState::Queued.name().into())
        .col_expr(run::Column::OperationId, Expr::val(operation_id))
        .col_expr(run::Column::StartedAt, Expr::val(now))
        .filter(run::Column::Id.eq(id))
        .filter(run::Column::State.eq(RunState::Starting.name()))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Count tasks that went from one state to another.
pub async fn count<C: ConnectionTrait>(
    db: &C,
    id: Uuid,
    from: TaskState,
    to: TaskState,
    tasks: i64,
) -> Result<()> {
    let (from, to) = (column(from), column(to));
    run::Entity::update_many()
        .col_expr(from, Expr::col(from).sub(tasks))
        .col_expr(to, Expr::col(to).add(tasks))
        .filter(run::Column::Id.eq(id))
        .exec(db)
        .await
        .map(|_| ())
}

fn column(state: TaskState) -> run::Column {
    match state {
        TaskState::Queued => run::Column::Queued,
        TaskState::Dispatched => run::Column::Dispatched,
        TaskState::Running => run::Column::Running,
        TaskState::Succeeded => run::Column::Succeeded,
        TaskState::Failed => run::Column::Failed,
        TaskState::TimedOut => run::Column::TimedOut,
        TaskState::NoAnswer => run::Column::NoAnswer,
        TaskState::NeverDispatched => run::Column::NeverDispatched,
        TaskState::Cancelled => run::Column::Cancelled,
    }
}

/// Tasks of a run by state; states without tasks are left out.
pub fn counts(row: &run::Model) -> Counts {
    [
        (TaskState::Queued, row.queued),
        (TaskState::Dispatched, row.dispatched),
        (TaskState::Running, row.running),
        (TaskState::Succeeded, row.succeeded),
        (TaskState::Failed, row.failed),
        (TaskState::TimedOut, row.timed_out),
        (TaskState::NoAnswer, row.no_answer),
        (TaskState::NeverDispatched, row.never_dispatched),
        (TaskState::Cancelled, row.cancelled),
    ]
    .into_iter()
    .filter_map(|(state, n)| u64::try_from(n).ok().filter(|n| *n > 0).map(|n| (state, n)))
    .collect()
}

/// Ids of ended runs made before `before`, at most `limit`.
pub async fn ended_before<C: ConnectionTrait>(
    db: &C,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Uuid>> {
    let ended = RunState::ALL.into_iter().filter(|s| s.is_final()).map(RunState::name);
    let rows = run::Entity::find()
        .filter(run::Column::CreatedAt.lt(before))
        .filter(run::Column::State.is_in(ended))
        .order_by_asc(run::Column::CreatedAt)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|r| r.id).collect())
}

/// Remove runs.
pub async fn delete<C: ConnectionTrait>(db: &C, ids: &[Uuid]) -> Result<u64> {
    let done = run::Entity::delete_many().filter(run::Column::Id.is_in(ids.iter().copied())).exec(db).await?;
    Ok(done.rows_affected)
}
