//! `POST /api/v1/access/explain`.

use std::sync::Arc;

use axum::extract::State;

use crate::{
    accounts::explain::{AccessAnswer, AccessQuestion},
    app::App,
    ctx::Ctx,
    http::Json,
    problem::Problem,
};

/// Explain whether somebody may do something, and why: oneself always, others with `users:read`.
#[utoipa::path(post, path = "/api/v1/access/explain", tag = "roles", request_body = AccessQuestion,
    responses((status = OK, body = AccessAnswer)))]
pub(super) async fn explain_access(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(question): Json<AccessQuestion>,
) -> Result<Json<AccessAnswer>, Problem> {
    Ok(Json(app.accounts.explain(&ctx, question).await?))
}
