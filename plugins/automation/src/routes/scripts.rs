//! Scripts.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use plugin_sdk::{Ctx, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::query::{PageQuery, short};
use crate::{
    engine::Automation,
    model::interpreter::Interpreter,
    service::{Change, EditScript, NewScript, Transfer},
    store::scripts::Filter,
    views::{Page, ScriptView},
};

/// Filters of the library.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScriptQuery {
    /// Part of name or description.
    pub q: Option<String>,
    /// Tag.
    pub tag: Option<String>,
    /// Interpreter.
    #[param(inline)]
    pub interpreter: Option<Interpreter>,
    /// `true` for archived scripts, `false` for the others; both when absent.
    pub archived: Option<bool>,
    /// Owner, as `user:<uuid>`.
    pub owner: Option<String>,
    /// Items wanted, at most 200; 50 when absent.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<Uuid>,
}

/// Scripts that the caller may see, newest first.
#[utoipa::path(get, path = "/scripts", params(ScriptQuery),
    responses((status = 200, body = Page<ScriptView>)),
    extensions(("x-permission" = json!("automation:scripts:read"))))]
pub async fn list_scripts(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Query(query): Query<ScriptQuery>,
) -> Result<Json<Page<ScriptView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = Filter {
        text: short("q", query.q)?,
        tag: short("tag", query.tag)?.map(|t| t.to_lowercase()),
        interpreter: query.interpreter.map(|i| i.name().to_owned()),
        archived: query.archived,
        owner: short("owner", query.owner)?,
    };
    Ok(Json(engine.service.list_scripts(&ctx, &filter, page.into()).await?))
}

/// Make a script with its first version.
#[utoipa::path(post, path = "/scripts", request_body = NewScript,
    responses((status = 201, body = ScriptView)),
    extensions(("x-permission" = json!("automation:scripts:write"))))]
pub async fn create_script(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Json(new): Json<NewScript>,
) -> Result<(StatusCode, Json<ScriptView>), Problem> {
    Ok((StatusCode::CREATED, Json(engine.service.create_script(&ctx, new).await?)))
}

/// One script.
#[utoipa::path(get, path = "/scripts/{id}", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScriptView)),
    extensions(("x-permission" = json!("automation:scripts:read"))))]
pub async fn get_script(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<ScriptView>, Problem> {
    Ok(Json(engine.service.get_script(&ctx, id).await?))
}

/// Change name, description, tags or sharing.
#[utoipa::path(patch, path = "/scripts/{id}", params(("id" = Uuid, Path)), request_body = EditScript,
    responses((status = 200, body = ScriptView)),
    extensions(("x-permission" = json!("automation:scripts:write"))))]
pub async fn update_script(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(edit): Json<EditScript>,
) -> Result<Json<ScriptView>, Problem> {
    Ok(Json(engine.service.update_script(&ctx, id, edit).await?))
}

/// Archive a script: it neither runs nor changes until it is restored.
#[utoipa::path(post, path = "/scripts/{id}/archive", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScriptView)),
    extensions(("x-permission" = json!("automation:scripts:write"))))]
pub async fn archive_script(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<ScriptView>, Problem> {
    Ok(Json(engine.service.archive_script(&ctx, id).await?))
}

/// Restore an archived script.
#[utoipa::path(post, path = "/scripts/{id}/restore", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScriptView)),
    extensions(("x-permission" = json!("automation:scripts:write"))))]
pub async fn restore_script(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<ScriptView>, Problem> {
    Ok(Json(engine.service.restore_script(&ctx, id).await?))
}

/// Who changed a script, and how; newest first.
#[utoipa::path(get, path = "/scripts/{id}/history", params(("id" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<Change>)),
    extensions(("x-permission" = json!("automation:scripts:read"))))]
pub async fn list_script_history(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Change>>, Problem> {
    Ok(Json(engine.service.script_history(&ctx, id, page.into()).await?))
}

/// Give a script to another user.
#[utoipa::path(post, path = "/scripts/{id}/transfer", params(("id" = Uuid, Path)), request_body = Transfer,
    responses((status = 200, body = ScriptView)),
    extensions(("x-permission" = json!("automation:scripts:manage"))))]
pub async fn transfer_script(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(to): Json<Transfer>,
) -> Result<Json<ScriptView>, Problem> {
    Ok(Json(engine.service.transfer_script(&ctx, id, to).await?))
}
