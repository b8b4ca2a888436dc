//! Decisions on waiting machines: duplicates, taking another one's place, many at once.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Decided, Duplicate, Machine, MachineState};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Path},
    problem::{Problem, ProblemBody},
};

/// Routes of decisions.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(duplicates))
        .routes(routes!(replace))
        .routes(routes!(approve_many))
        .routes(routes!(reject_many))
}

/// Other machines that may be the same computer.
#[utoipa::path(get, path = "/api/v1/machines/{id}/duplicates", tag = "machines", operation_id = "list_duplicates",
    extensions(("x-permission" = json!("machines:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<Duplicate>), (status = 404, body = ProblemBody)))]
async fn duplicates(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<Duplicate>>, Problem> {
    Ok(Json(app.machines.duplicates(&ctx, id).await?))
}

/// Whose place to take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceMachine {
    /// The machine whose id, name, tags, notes and history stay.
    old: Uuid,
}

/// Approve a waiting machine in the place of another one, which keeps its id, name, tags, notes and history.
#[utoipa::path(post, path = "/api/v1/machines/{id}/replace", tag = "machines", operation_id = "replace_machine",
    extensions(("x-permission" = json!("machines:approve"))), params(("id" = Uuid, Path)),
    request_body = ReplaceMachine,
    responses((status = 200, body = Machine), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
async fn replace(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(body): Json<ReplaceMachine>,
) -> Result<Json<Machine>, Problem> {
    Ok(Json(app.machines.replace(&ctx, id, body.old).await?))
}

/// Which waiting machines.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideMany {
    /// The machines; of those that it selects, those that wait.
    selector: String,
    /// When more wait, nothing is done; 100 when absent, 1000 at most.
    #[serde(default = "hundred")]
    most: u64,
}

fn hundred() -> u64 {
    100
}

/// Approve the waiting machines that a selector selects.
#[utoipa::path(post, path = "/api/v1/machines/-/approve", tag = "machines", operation_id = "approve_machines",
    extensions(("x-permission" = json!("machines:approve"))), request_body = DecideMany,
    responses((status = 200, body = Decided), (status = 422, body = ProblemBody)))]
async fn approve_many(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<DecideMany>,
) -> Result<Json<Decided>, Problem> {
    let to = MachineState::Approved;
    Ok(Json(app.machines.decide_many(&ctx, &body.selector, to, body.most).await?))
}

/// Reject the waiting machines that a selector selects.
#[utoipa::path(post, path = "/api/v1/machines/-/reject", tag = "machines", operation_id = "reject_machines",
    extensions(("x-permission" = json!("machines:approve"))), request_body = DecideMany,
    responses((status = 200, body = Decided), (status = 422, body = ProblemBody)))]
async fn reject_many(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<DecideMany>,
) -> Result<Json<Decided>, Problem> {
    let to = MachineState::Rejected;
    Ok(Json(app.machines.decide_many(&ctx, &body.selector, to, body.most).await?))
}
