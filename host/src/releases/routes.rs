//! `/api/v1/agent-releases` and `/api/v1/agent-rollouts`.

use std::sync::Arc;

use axum::{body::Body, extract::State};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{NewRollout, Release, Rollout, RolloutState};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
};

type ReleasePage = PageSchema<Release>;
type RolloutPage = PageSchema<Rollout>;

/// Routes with the ordinary time limit.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(remove))
        .routes(routes!(list_rollouts, begin))
        .routes(routes!(get))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
}

/// Uploads.
pub(super) fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(add))
}

/// Bring in a release. The body is the file.
#[utoipa::path(post, path = "/api/v1/agent-releases", tag = "agents", operation_id = "add_agent_release",
    extensions(("x-permission" = json!("agents:manage"))),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 201, body = Release), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
async fn add(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<(StatusCode, Json<Release>), Problem> {
    let trust = app.license.trust();
    Ok((StatusCode::CREATED, Json(app.releases.add(&ctx, &trust, body.into_data_stream()).await?)))
}

/// Releases of the agent.
#[utoipa::path(get, path = "/api/v1/agent-releases", tag = "agents", operation_id = "list_agent_releases",
    extensions(("x-permission" = json!("agents:read"))), responses((status = 200, body = ReleasePage)))]
async fn list(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Page<Release>>, Problem> {
    Ok(Json(Page { items: app.releases.list(&ctx).await?, next_cursor: None }))
}

/// Remove a release.
#[utoipa::path(delete, path = "/api/v1/agent-releases/{version}/{target}", tag = "agents",
    operation_id = "remove_agent_release", extensions(("x-permission" = json!("agents:manage"))),
    params(("version" = String, Path), ("target" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
async fn remove(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((version, target)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    app.releases.remove(&ctx, &version, &target).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Roll a version of the agent out, batch by batch.
#[utoipa::path(post, path = "/api/v1/agent-rollouts", tag = "agents", operation_id = "begin_agent_rollout",
    extensions(("x-permission" = json!("agents:manage"))), request_body = NewRollout,
    responses((status = 202, body = Rollout), (status = 422, body = ProblemBody)))]
async fn begin(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<NewRollout>,
) -> Result<(StatusCode, Json<Rollout>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.releases.begin(&ctx, body).await?)))
}

/// Rollouts, newest first.
#[utoipa::path(get, path = "/api/v1/agent-rollouts", tag = "agents", operation_id = "list_agent_rollouts",
    extensions(("x-permission" = json!("agents:read"))), params(PageQuery),
    responses((status = 200, body = RolloutPage)))]
async fn list_rollouts(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Rollout>>, Problem> {
    Ok(Json(app.releases.rollouts(&ctx, page.after_id()?, page.limit()).await?))
}

/// One rollout.
#[utoipa::path(get, path = "/api/v1/agent-rollouts/{id}", tag = "agents", operation_id = "get_agent_rollout",
    extensions(("x-permission" = json!("agents:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Rollout), (status = 404, body = ProblemBody)))]
async fn get(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Result<Json<Rollout>, Problem> {
    Ok(Json(app.releases.rollout(&ctx, id).await?))
}

/// Begin no further batch.
#[utoipa::path(post, path = "/api/v1/agent-rollouts/{id}/pause", tag = "agents",
    operation_id = "pause_agent_rollout", extensions(("x-permission" = json!("agents:manage"))),
    params(("id" = Uuid, Path)), responses((status = 200, body = Rollout), (status = 409, body = ProblemBody)))]
async fn pause(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Rollout>, Problem> {
    Ok(Json(app.releases.steer(&ctx, id, RolloutState::Paused).await?))
}

/// Go on. Failures count on: raise the limit with a new rollout if more are to be borne.
#[utoipa::path(post, path = "/api/v1/agent-rollouts/{id}/resume", tag = "agents",
    operation_id = "resume_agent_rollout", extensions(("x-permission" = json!("agents:manage"))),
    params(("id" = Uuid, Path)), responses((status = 200, body = Rollout), (status = 409, body = ProblemBody)))]
async fn resume(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Rollout>, Problem> {
    Ok(Json(app.releases.steer(&ctx, id, RolloutState::Running).await?))
}

/// Give it up. Machines that are being updated finish.
#[utoipa::path(post, path = "/api/v1/agent-rollouts/{id}/cancel", tag = "agents",
    operation_id = "cancel_agent_rollout", extensions(("x-permission" = json!("agents:manage"))),
    params(("id" = Uuid, Path)), responses((status = 200, body = Rollout), (status = 409, body = ProblemBody)))]
async fn cancel(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Rollout>, Problem> {
    Ok(Json(app.releases.steer(&ctx, id, RolloutState::Cancelled).await?))
}
