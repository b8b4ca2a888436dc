//! Queries on schedules.

use chrono::{DateTime, Utc};
use plugin_sdk::sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::{PageRequest, Result, Viewer, scripts};
use crate::entities::{schedule, script};

/// Filters of the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Script.
    pub script_id: Option<Uuid>,
    /// Whether it runs.
    pub enabled: Option<bool>,
}

fn visible(viewer: &Viewer) -> Condition {
    if viewer.all {
        return Condition::all();
    }
    let scripts = script::Entity::find()
        .select_only()
        .column(script::Column::Id)
        .filter(scripts::visible(viewer))
        .into_query();
    Condition::any()
        .add(schedule::Column::Principal.eq(viewer.principal.clone()))
        .add(schedule::Column::ScriptId.in_subquery(scripts))
}

/// A page of schedules, newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    viewer: &Viewer,
    filter: &Filter,
    page: PageRequest,
) -> Result<Vec<schedule::Model>> {
    let mut query = schedule::Entity::find().filter(visible(viewer));
    if let Some(script_id) = filter.script_id {
        query = query.filter(schedule::Column::ScriptId.eq(script_id));
    }
    if let Some(enabled) = filter.enabled {
        query = query.filter(schedule::Column::Enabled.eq(enabled));
    }
    if let Some(after) = page.after {
        query = query.filter(schedule::Column::Id.lt(after));
    }
    query.order_by_desc(schedule::Column::Id).limit(page.limit).all(db).await
}

/// One schedule that the viewer may see.
pub async fn find<C: ConnectionTrait>(db: &C, viewer: &Viewer, id: Uuid) -> Result<Option<schedule::Model>> {
    schedule::Entity::find_by_id(id).filter(visible(viewer)).one(db).await
}

/// One schedule.
pub async fn get<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<schedule::Model>> {
    schedule::Entity::find_by_id(id).one(db).await
}

/// Every schedule that runs, in pages by id.
pub async fn enabled<C: ConnectionTrait>(
    db: &C,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<schedule::Model>> {
    let mut query = schedule::Entity::find().filter(schedule::Column::Enabled.eq(true));
    if let Some(after) = after {
        query = query.filter(schedule::Column::Id.gt(after));
    }
    query.order_by_asc(schedule::Column::Id).limit(limit).all(db).await
}

/// Add a schedule.
pub async fn insert<C: ConnectionTrait>(db: &C, row: schedule::Model) -> Result<()> {
    schedule::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(|_| ())
}

/// Replace a schedule. False when it was changed since it was read.
pub async fn replace<C: ConnectionTrait>(
    db: &C,
    row: &schedule::Model,
    read_at: DateTime<Utc>,
) -> Result<bool> {
    let mut changed = row.clone().into_active_model().reset_all();
    changed.id = ActiveValue::NotSet;
    let done = schedule::Entity::update_many()
        .set(changed)
        .filter(schedule::Column::Id.eq(row.id))
        .filter(schedule::Column::UpdatedAt.eq(read_at))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Note what became of a due run, and when the next one is due.
pub async fn note<C: ConnectionTrait>(db: &C, row: &schedule::Model) -> Result<()> {
    schedule::Entity::update_many()
        .col_expr(schedule::Column::NextAt, Expr::val(row.next_at))
        .col_expr(schedule::Column::Waiting, Expr::val(row.waiting.clone()))
        .col_expr(schedule::Column::LastRunId, Expr::val(row.last_run_id))
        .col_expr(schedule::Column::LastDueAt, Expr::val(row.last_due_at))
        .col_expr(schedule::Column::LastOutcome, Expr::val(row.last_outcome.clone()))
        .col_expr(schedule::Column::Enabled, row.enabled.into())
        .filter(schedule::Column::Id.eq(row.id))
        .exec(db)
        .await
        .map(|_| ())
}

/// Take the waiting run of a schedule. False when somebody else did.
pub async fn take_waiting<C: ConnectionTrait>(db: &C, id: Uuid, waiting: &str) -> Result<bool> {
    let done = schedule::Entity::update_many()
        .col_expr(schedule::Column::Waiting, Expr::val(None::<String>))
        .filter(schedule::Column::Id.eq(id))
        .filter(schedule::Column::Waiting.eq(waiting))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Remove a schedule.
pub async fn delete<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<()> {
    schedule::Entity::delete_by_id(id).exec(db).await.map(|_| ())
}
