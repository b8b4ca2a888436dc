//! Queries of operations, tasks and output.

use std::collections::{BTreeMap, HashMap};

use plugin_api::services::operations::TaskState;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::{
    entity::{operation, output, task},
    reach::Reach,
    state,
};
use crate::http::Page;

/// Rows of one INSERT: below every database's limit of parameters.
const ROWS: usize = 300;

/// Which operations to list.
#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    /// Of this engine.
    pub engine: Option<String>,
    /// With this command.
    pub command: Option<String>,
    /// With a task on this machine.
    pub machine: Option<Uuid>,
    /// Finished or not.
    pub finished: Option<bool>,
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    operation: operation::ActiveModel,
    tasks: Vec<task::ActiveModel>,
) -> Result<(), DbErr> {
    operation::Entity::insert(operation).exec_without_returning(db).await?;
    for rows in tasks.chunks(ROWS) {
        task::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

pub(super) async fn by_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<operation::Model>, DbErr> {
    operation::Entity::find().filter(operation::Column::IdempotencyKey.eq(key)).one(db).await
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    id: Uuid,
    reach: &Reach,
) -> Result<Option<operation::Model>, DbErr> {
    operation::Entity::find_by_id(id).filter(reach.operations()).one(db).await
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    filter: OperationFilter,
    reach: &Reach,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Page<operation::Model>, DbErr> {
    use operation::Column as C;
    let mut query = operation::Entity::find().filter(reach.operations());
    if let Some(engine) = filter.engine {
        query = query.filter(C::EngineId.eq(engine));
    }
    if let Some(command) = filter.command {
        query = query.filter(C::Command.eq(command));
    }
    if let Some(machine) = filter.machine {
        let on_machine = task::Entity::find()
            .select_only()
            .column(task::Column::OperationId)
            .filter(task::Column::MachineId.eq(machine))
            .filter(reach.tasks())
            .into_query();
        query = query.filter(C::Id.in_subquery(on_machine));
    }
    match filter.finished {
        Some(true) => query = query.filter(C::FinishedAt.is_not_null()),
        Some(false) => query = query.filter(C::FinishedAt.is_null()),
        None => {}
    }
    if let Some(after) = after {
        query = query.filter(C::Id.lt(after));
    }
    let rows = query.order_by_desc(C::Id).limit(limit + 1).all(db).await?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}

#[derive(Debug, FromQueryResult)]
struct Count {
    operation_id: Uuid,
    state: String,
    n: i64,
}

pub(super) async fn by_state(
    db: &impl ConnectionTrait,
    since: chrono::DateTime<chrono::Utc>,
) -> Result<BTreeMap<String, u64>, DbErr> {
    use operation::Column as C;
    let running = operation::Entity::find().filter(C::FinishedAt.is_null()).count(db).await?;
    let finished = operation::Entity::find().filter(C::FinishedAt.gte(since)).count(db).await?;
    Ok(BTreeMap::from([("running".into(), running), ("finished_last_day".into(), finished)]))
}

pub(super) async fn counts(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    reach: &Reach,
) -> Result<HashMap<Uuid, BTreeMap<TaskState, u64>>, DbErr> {
    let rows = task::Entity::find()
        .select_only()
        .column(task::Column::OperationId)
        .column(task::Column::State)
        .column_as(task::Column::Id.count(), "n")
        .filter(task::Column::OperationId.is_in(ids.iter().copied()))
        .filter(reach.tasks())
        .group_by(task::Column::OperationId)
        .group_by(task::Column::State)
        .into_model::<Count>()
        .all(db)
        .await?;
    let mut counts: HashMap<Uuid, BTreeMap<TaskState, u64>> = HashMap::new();
    for row in rows {
        let state = state::parse(&row.state).unwrap_or_default();
        counts.entry(row.operation_id).or_default().insert(state, row.n.try_into().unwrap_or(0));
    }
    Ok(counts)
}

pub(super) async fn tasks(
    db: &impl ConnectionTrait,
    operation: Uuid,
    states: &[TaskState],
    reach: &Reach,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Page<task::Model>, DbErr> {
    let mut query =
        task::Entity::find().filter(task::Column::OperationId.eq(operation)).filter(reach.tasks());
    if !states.is_empty() {
        query = query.filter(task::Column::State.is_in(states.iter().map(|s| state::name(*s))));
    }
    if let Some(after) = after {
        query = query.filter(task::Column::Id.gt(after));
    }
    let rows = query.order_by_asc(task::Column::Id).limit(limit + 1).all(db).await?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}

pub(super) async fn all_tasks(
    db: &impl ConnectionTrait,
    operation: Uuid,
    reach: &Reach,
) -> Result<Vec<task::Model>, DbErr> {
    task::Entity::find()
        .filter(task::Column::OperationId.eq(operation))
        .filter(reach.tasks())
        .order_by_asc(task::Column::Id)
        .all(db)
        .await
}

pub(super) async fn task(
    db: &impl ConnectionTrait,
    id: Uuid,
    reach: &Reach,
) -> Result<Option<task::Model>, DbErr> {
    task::Entity::find_by_id(id).filter(reach.tasks()).one(db).await
}

/// Output after `after`, at most `bytes` of it but always one chunk.
pub(super) async fn output(
    db: &impl ConnectionTrait,
    task: Uuid,
    after: i64,
    bytes: usize,
) -> Result<Vec<output::Model>, DbErr> {
    let rows = output::Entity::find()
        .filter(output::Column::TaskId.eq(task))
        .filter(output::Column::Seq.gt(after))
        .order_by_asc(output::Column::Seq)
        .limit(256)
        .all(db)
        .await?;
    let mut taken = 0;
    let within = |row: &output::Model| {
        let first = taken == 0;
        taken += row.data.len().max(1);
        first || taken <= bytes
    };
    Ok(rows.into_iter().take_while(within).collect())
}
