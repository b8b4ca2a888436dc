//! Approvals.

use std::sync::Arc;

use axum::extract::State;
use plugin_sdk::{Ctx, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::query::{PageQuery, short};
use crate::{
    engine::Automation,
    service::{Approve, Reject},
    views::{ApprovalView, Page},
};

/// Filters of approvals.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ApprovalQuery {
    /// `pending`, `approved`, `used`, `rejected`, `expired`, `withdrawn` or `invalid`.
    pub state: Option<String>,
    /// Items wanted, at most 200; 50 when absent.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<Uuid>,
}

/// Approvals, newest first: all for approvers, their own for others.
#[utoipa::path(get, path = "/approvals", params(ApprovalQuery),
    responses((status = 200, body = Page<ApprovalView>)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn list_approvals(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Query(query): Query<ApprovalQuery>,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    Ok(Json(engine.service.list_approvals(&ctx, short("state", query.state)?, page.into()).await?))
}

/// One approval with its run and the text of the script.
#[utoipa::path(get, path = "/approvals/{id}", params(("id" = Uuid, Path)),
    responses((status = 200, body = ApprovalView)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn get_approval(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<ApprovalView>, Problem> {
    Ok(Json(engine.service.get_approval(&ctx, id).await?))
}

/// Approve exactly what was looked at.
#[utoipa::path(post, path = "/approvals/{id}/approve", params(("id" = Uuid, Path)), request_body = Approve,
    responses((status = 200, body = ApprovalView)),
    extensions(("x-permission" = json!("automation:runs:approve"))))]
pub async fn approve_run(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(approve): Json<Approve>,
) -> Result<Json<ApprovalView>, Problem> {
    Ok(Json(engine.service.approve(&ctx, id, approve).await?))
}

/// Reject, with a reason.
#[utoipa::path(post, path = "/approvals/{id}/reject", params(("id" = Uuid, Path)), request_body = Reject,
    responses((status = 200, body = ApprovalView)),
    extensions(("x-permission" = json!("automation:runs:approve"))))]
pub async fn reject_run(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(reject): Json<Reject>,
) -> Result<Json<ApprovalView>, Problem> {
    Ok(Json(engine.service.reject(&ctx, id, reject).await?))
}
