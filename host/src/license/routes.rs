//! `/api/v1/license`, `/api/v1/revocations`, `/api/v1/trust-roots`.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::state::ThirdPartyRoot;
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Path, Query},
    problem::Problem,
};

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_license, install_license, remove_licenses))
        .routes(routes!(remove_license))
        .routes(routes!(explain_license))
        .routes(routes!(apply_revocations))
        .routes(routes!(list_trust_roots, add_trust_root))
        .routes(routes!(remove_trust_root))
}

fn explained(ctx: &Ctx, app: &App, at: Option<DateTime<Utc>>) -> Result<Json<Value>, Problem> {
    let explanation = app.license.explain(ctx, &app.engines.builds(), at)?;
    let mut value = serde_json::to_value(explanation).map_err(Problem::internal)?;
    value["instance"] = json!(app.license.instance());
    Ok(Json(value))
}

/// The licences and what they grant now.
#[utoipa::path(get, path = "/api/v1/license", operation_id = "show_license", tag = "license",
    responses((status = 200, description = "Licences, engines, limits", body = Object)),
    extensions(("x-permission" = json!("license:read"))))]
async fn show_license(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    explained(&ctx, &app, None)
}

/// Install a licence token, or renew the licence with its id. The body is the token.
#[utoipa::path(put, path = "/api/v1/license", operation_id = "install_license", tag = "license",
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, description = "Installed", body = Object)),
    extensions(("x-permission" = json!("license:manage"))))]
async fn install_license(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    body: String,
) -> Result<Json<Value>, Problem> {
    app.license.install(&ctx, &body).await?;
    explained(&ctx, &app, None)
}

/// Remove every licence. No data is lost; engines lock.
#[utoipa::path(delete, path = "/api/v1/license", operation_id = "remove_licenses", tag = "license",
    responses((status = 204, description = "Removed")),
    extensions(("x-permission" = json!("license:manage"))))]
async fn remove_licenses(ctx: Ctx, State(app): State<Arc<App>>) -> Result<StatusCode, Problem> {
    app.license.remove(&ctx, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove one licence.
#[utoipa::path(delete, path = "/api/v1/license/{id}", operation_id = "remove_license", tag = "license",
    params(("id" = String, Path, description = "Licence id")),
    responses((status = 204, description = "Removed")),
    extensions(("x-permission" = json!("license:manage"))))]
async fn remove_license(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.license.remove(&ctx, Some(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A moment to ask about.
#[derive(Debug, Deserialize, IntoParams)]
struct At {
    /// RFC 3339; now when absent.
    at: Option<DateTime<Utc>>,
}

/// What holds at a given time, and why.
#[utoipa::path(get, path = "/api/v1/license/explain", operation_id = "explain_license", tag = "license",
    params(At), responses((status = 200, description = "Explanation", body = Object)),
    extensions(("x-permission" = json!("license:read"))))]
async fn explain_license(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(q): Query<At>,
) -> Result<Json<Value>, Problem> {
    explained(&ctx, &app, q.at)
}

/// What applying a list did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RevocationsApplied {
    /// Whether the list is new here.
    applied: bool,
}

/// Put a signed revocation list in force. The body is the list.
#[utoipa::path(put, path = "/api/v1/revocations", operation_id = "apply_revocations", tag = "license",
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, description = "In force", body = RevocationsApplied)),
    extensions(("x-permission" = json!("license:manage"))))]
async fn apply_revocations(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    body: String,
) -> Result<Json<RevocationsApplied>, Problem> {
    let applied = app.license.apply_revocations(&ctx, &body).await?;
    Ok(Json(RevocationsApplied { applied }))
}

/// Third-party roots that administrators trust.
#[utoipa::path(get, path = "/api/v1/trust-roots", operation_id = "list_trust_roots", tag = "license",
    responses((status = 200, description = "Roots", body = [ThirdPartyRoot])),
    extensions(("x-permission" = json!("license:read"))))]
async fn list_trust_roots(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<ThirdPartyRoot>>, Problem> {
    Ok(Json(app.license.roots(&ctx)?))
}

/// Trust a third party's root for its engines.
#[utoipa::path(post, path = "/api/v1/trust-roots", operation_id = "add_trust_root", tag = "license",
    request_body = ThirdPartyRoot, responses((status = 201, description = "Trusted")),
    extensions(("x-permission" = json!("license:manage"))))]
async fn add_trust_root(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(root): Json<ThirdPartyRoot>,
) -> Result<StatusCode, Problem> {
    app.license.add_root(&ctx, root).await?;
    Ok(StatusCode::CREATED)
}

/// Trust a third party's root no longer. Its engines stop.
#[utoipa::path(delete, path = "/api/v1/trust-roots/{name}", operation_id = "remove_trust_root", tag = "license",
    params(("name" = String, Path, description = "Root")), responses((status = 204, description = "Removed")),
    extensions(("x-permission" = json!("license:manage"))))]
async fn remove_trust_root(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.license.remove_root(&ctx, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
