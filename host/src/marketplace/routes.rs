//! `/api/v1/marketplace`.

use std::sync::Arc;

use axum::{body::Body, extract::State};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    MarketDownload, MarketEngineDetail, MarketplacePolicy, MarketplaceStatus,
    model::{MarketDownloadList, MarketEngineList, MarketImport, MarketInstall},
};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Path},
    problem::Problem,
};

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(get_marketplace))
        .routes(routes!(set_marketplace_policy))
        .routes(routes!(list_marketplace_engines))
        .routes(routes!(get_marketplace_engine))
        .routes(routes!(install_marketplace_engine))
        .routes(routes!(list_marketplace_downloads))
}

/// Routes that ask the portal, or take a bundle.
pub fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(refresh_marketplace)).routes(routes!(import_marketplace_bundle))
}

/// What the host knows of its portal, and what it does by itself.
#[utoipa::path(get, path = "/api/v1/marketplace", operation_id = "get_marketplace", tag = "marketplace",
    responses((status = 200, description = "Status", body = MarketplaceStatus)),
    extensions(("x-permission" = json!("engines:read"))))]
async fn get_marketplace(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<MarketplaceStatus>, Problem> {
    Ok(Json(app.marketplace.status(&ctx).await?))
}

/// Decide what the host does by itself: channel, updates and their window, contact.
#[utoipa::path(put, path = "/api/v1/marketplace/policy", operation_id = "set_marketplace_policy", tag = "marketplace",
    request_body = MarketplacePolicy,
    responses((status = 200, description = "Status", body = MarketplaceStatus)),
    extensions(("x-permission" = json!("engines:manage"))))]
async fn set_marketplace_policy(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(policy): Json<MarketplacePolicy>,
) -> Result<Json<MarketplaceStatus>, Problem> {
    app.marketplace.set_policy(&ctx, policy).await?;
    Ok(Json(app.marketplace.status(&ctx).await?))
}

/// Look at the portal's catalogue now.
#[utoipa::path(post, path = "/api/v1/marketplace/-/refresh", operation_id = "refresh_marketplace", tag = "marketplace",
    responses((status = 200, description = "Looked", body = MarketplaceStatus),
        (status = 409, description = "No portal is configured"),
        (status = 502, description = "The portal did not answer, or is not believed; `reason` says why")),
    extensions(("x-permission" = json!("engines:install"))))]
async fn refresh_marketplace(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<MarketplaceStatus>, Problem> {
    app.marketplace.refresh(&ctx).await?;
    Ok(Json(app.marketplace.status(&ctx).await?))
}

/// Engines that the portal offers, as it was seen last.
#[utoipa::path(get, path = "/api/v1/marketplace/engines", operation_id = "list_marketplace_engines",
    tag = "marketplace",
    responses((status = 200, description = "Engines", body = MarketEngineList)),
    extensions(("x-permission" = json!("engines:read"))))]
async fn list_marketplace_engines(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<MarketEngineList>, Problem> {
    Ok(Json(app.marketplace.list(&ctx).await?))
}

/// An engine that the portal offers, with its versions.
#[utoipa::path(get, path = "/api/v1/marketplace/engines/{id}", operation_id = "get_marketplace_engine",
    tag = "marketplace", params(("id" = String, Path, description = "Engine")),
    responses((status = 200, description = "Engine", body = MarketEngineDetail)),
    extensions(("x-permission" = json!("engines:read"))))]
async fn get_marketplace_engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<MarketEngineDetail>, Problem> {
    Ok(Json(app.marketplace.get(&ctx, &id).await?))
}

/// Download an engine from the portal and install it, or upgrade to it.
#[utoipa::path(post, path = "/api/v1/marketplace/engines/{id}/install",
    operation_id = "install_marketplace_engine", tag = "marketplace",
    params(("id" = String, Path, description = "Engine")), request_body = MarketInstall,
    responses((status = 202, description = "The download, begun", body = MarketDownload),
        (status = 402, description = "The licence does not allow it"),
        (status = 409, description = "It does not suit this host, or is in use already")),
    extensions(("x-permission" = json!("engines:install"))))]
async fn install_marketplace_engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Json(r): Json<MarketInstall>,
) -> Result<(StatusCode, Json<MarketDownload>), Problem> {
    let begun = app.marketplace.install(&ctx, &id, r.version.as_deref()).await?;
    Ok((StatusCode::ACCEPTED, Json(begun)))
}

/// Downloads of engines, newest first.
#[utoipa::path(get, path = "/api/v1/marketplace/downloads", operation_id = "list_marketplace_downloads",
    tag = "marketplace",
    responses((status = 200, description = "Downloads", body = MarketDownloadList)),
    extensions(("x-permission" = json!("engines:read"))))]
async fn list_marketplace_downloads(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<MarketDownloadList>, Problem> {
    Ok(Json(app.marketplace.downloads(&ctx).await?))
}

/// Take in an air-gap bundle: catalogue, engines, licence and revocation list. The body is the bundle.
#[utoipa::path(post, path = "/api/v1/marketplace/-/import", operation_id = "import_marketplace_bundle",
    tag = "marketplace", request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, description = "What it brought", body = MarketImport),
        (status = 422, description = "Refused; `reason` says why")),
    extensions(("x-permission" = json!("engines:install"))))]
async fn import_marketplace_bundle(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<Json<MarketImport>, Problem> {
    Ok(Json(app.marketplace.import(&ctx, body).await?))
}
