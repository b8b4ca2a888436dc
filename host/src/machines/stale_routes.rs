//! `/api/v1/machines/-/stale-policy`.

use std::sync::Arc;

use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::StalePolicy;
use crate::{
    app::App,
    ctx::Ctx,
    http::Json,
    problem::{Problem, ProblemBody},
};

/// Routes of the policy.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get, set))
}

/// What happens to machines that do not report.
#[utoipa::path(get, path = "/api/v1/machines/-/stale-policy", tag = "machines", operation_id = "get_stale_policy",
    extensions(("x-permission" = json!("settings:read"))), responses((status = 200, body = StalePolicy)))]
async fn get(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<StalePolicy>, Problem> {
    Ok(Json(app.machines.stale_policy(&ctx).await?))
}

/// Set what happens to machines that do not report. What is absent becomes the default.
#[utoipa::path(put, path = "/api/v1/machines/-/stale-policy", tag = "machines", operation_id = "set_stale_policy",
    extensions(("x-permission" = json!("settings:manage"))), request_body = StalePolicy,
    responses((status = 200, body = StalePolicy), (status = 422, body = ProblemBody)))]
async fn set(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(policy): Json<StalePolicy>,
) -> Result<Json<StalePolicy>, Problem> {
    Ok(Json(app.machines.set_stale_policy(&ctx, policy).await?))
}
