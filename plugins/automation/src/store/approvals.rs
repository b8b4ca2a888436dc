//! Queries on approvals.

use chrono::{DateTime, Utc};
use plugin_sdk::sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use super::{PageRequest, Result};
use crate::entities::approval;

/// Whose approvals are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// State.
    pub state: Option<String>,
    /// Only those this principal asked for.
    pub requested_by: Option<String>,
}

/// A page of approvals, newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    filter: &Filter,
    page: PageRequest,
) -> Result<Vec<approval::Model>> {
    let mut condition = Condition::all();
    if let Some(state) = &filter.state {
        condition = condition.add(approval::Column::State.eq(state.clone()));
    }
    if let Some(principal) = &filter.requested_by {
        condition = condition.add(approval::Column::RequestedBy.eq(principal.clone()));
    }
    if let Some(after) = page.after {
        condition = condition.add(approval::Column::Id.lt(after));
    }
    approval::Entity::find()
        .filter(condition)
        .order_by_desc(approval::Column::Id)
        .limit(page.limit)
        .all(db)
        .await
}

/// One approval.
pub async fn get<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<approval::Model>> {
    approval::Entity::find_by_id(id).one(db).await
}

/// The approval of a run.
pub async fn of_run<C: ConnectionTrait>(db: &C, run_id: Uuid) -> Result<Option<approval::Model>> {
    approval::Entity::find().filter(approval::Column::RunId.eq(run_id)).one(db).await
}

/// Ask for one.
pub async fn insert<C: ConnectionTrait>(db: &C, row: approval::Model) -> Result<()> {
    approval::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(|_| ())
}

/// A decision.
#[derive(Debug, Clone)]
pub struct Decision {
    /// New state.
    pub state: &'static str,
    /// Principal.
    pub by: String,
    /// Name of the principal.
    pub by_name: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Reason.
    pub reason: Option<String>,
    /// When the approval lapses from now on.
    pub expires_at: DateTime<Utc>,
}

/// Write a decision. False when it is not pending any longer.
pub async fn decide<C: ConnectionTrait>(db: &C, id: Uuid, decision: &Decision) -> Result<bool> {
    let done = approval::Entity::update_many()
        .col_expr(approval::Column::State, decision.state.into())
        .col_expr(approval::Column::DecidedBy, Expr::val(decision.by.clone()))
        .col_expr(approval::Column::DecidedByName, Expr::val(decision.by_name.clone()))
        .col_expr(approval::Column::DecidedAt, Expr::val(decision.at))
        .col_expr(approval::Column::Reason, Expr::val(decision.reason.clone()))
        .col_expr(approval::Column::ExpiresAt, Expr::val(decision.expires_at))
        .filter(approval::Column::Id.eq(id))
        .filter(approval::Column::State.eq("pending"))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Move from one state to another. False when it was not in `from`.
pub async fn advance<C: ConnectionTrait>(
    db: &C,
    id: Uuid,
    from: &str,
    to: &str,
    reason: Option<&str>,
) -> Result<bool> {
    let mut update = approval::Entity::update_many()
        .col_expr(approval::Column::State, Expr::val(to))
        .filter(approval::Column::Id.eq(id))
        .filter(approval::Column::State.eq(from));
    if let Some(reason) = reason {
        update = update.col_expr(approval::Column::Reason, Expr::val(reason));
    }
    Ok(update.exec(db).await?.rows_affected == 1)
}

/// Pending or approved ones whose time has passed.
pub async fn lapsed<C: ConnectionTrait>(
    db: &C,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<approval::Model>> {
    approval::Entity::find()
        .filter(approval::Column::State.is_in(["pending", "approved"]))
        .filter(approval::Column::ExpiresAt.lte(now))
        .order_by_asc(approval::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Remove the approvals of runs.
pub async fn delete<C: ConnectionTrait>(db: &C, run_ids: &[Uuid]) -> Result<()> {
    approval::Entity::delete_many()
        .filter(approval::Column::RunId.is_in(run_ids.iter().copied()))
        .exec(db)
        .await
        .map(|_| ())
}
