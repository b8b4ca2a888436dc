//! Versions of scripts.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use plugin_sdk::{Ctx, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::query::PageQuery;
use crate::{
    engine::Automation,
    service::{Diff, NewVersion},
    views::{Page, VersionView},
};

/// Which versions to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// Older side.
    pub from: i32,
    /// Newer side.
    pub to: i32,
}

/// Versions, newest first, without their texts.
#[utoipa::path(get, path = "/scripts/{id}/versions", params(("id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<VersionView>)),
    extensions(("x-permission" = json!("automation:scripts:read"))))]
pub async fn list_versions(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<VersionView>>, Problem> {
    Ok(Json(engine.service.list_versions(&ctx, id, page.into()).await?))
}

/// Add a version. Versions never change.
#[utoipa::path(post, path = "/scripts/{id}/versions", params(("id" = Uuid, Path)), request_body = NewVersion,
    responses((status = 201, body = VersionView)),
    extensions(("x-permission" = json!("automation:scripts:write"))))]
pub async fn create_version(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(new): Json<NewVersion>,
) -> Result<(StatusCode, Json<VersionView>), Problem> {
    Ok((StatusCode::CREATED, Json(engine.service.add_version(&ctx, id, new).await?)))
}

/// One version with its text.
#[utoipa::path(get, path = "/scripts/{id}/versions/{number}", params(("id" = Uuid, Path), ("number" = i32, Path)),
    responses((status = 200, body = VersionView)),
    extensions(("x-permission" = json!("automation:scripts:read"))))]
pub async fn get_version(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path((id, number)): Path<(Uuid, i32)>,
) -> Result<Json<VersionView>, Problem> {
    Ok(Json(engine.service.get_version(&ctx, id, number).await?))
}

/// Compare two versions.
#[utoipa::path(get, path = "/scripts/{id}/diff", params(("id" = Uuid, Path), DiffQuery),
    responses((status = 200, body = Diff)),
    extensions(("x-permission" = json!("automation:scripts:read"))))]
pub async fn diff_versions(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Query(query): Query<DiffQuery>,
) -> Result<Json<Diff>, Problem> {
    Ok(Json(engine.service.diff_versions(&ctx, id, query.from, query.to).await?))
}
