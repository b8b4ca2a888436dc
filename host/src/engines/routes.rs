//! `/api/v1/engines`: what is there, installing, and the administrator's switches.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    dispatch,
    inspect::Inspection,
    install::Installed,
    logs::LogLine,
    report::{EngineList, EngineReport},
    services::settings,
    ui,
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
        .routes(routes!(list_engines))
        .routes(routes!(list_engine_uis))
        .routes(routes!(get_engine))
        .routes(routes!(enable_engine))
        .routes(routes!(set_engine_settings))
        .routes(routes!(list_engine_logs))
}

/// Routes that stream, take a package, or wait for an engine to come up or drain.
pub fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(install_engine))
        .routes(routes!(inspect_engine))
        .routes(routes!(disable_engine))
        .routes(routes!(rollback_engine))
        .routes(routes!(set_engine_mode))
        .routes(routes!(set_engine_grants))
        .routes(routes!(uninstall_engine))
        .routes(routes!(export_engine))
        .route("/api/v1/engines/{id}/{*rest}", any(dispatch::dispatch))
        .route("/engines/{id}/ui/{*path}", get(ui::asset))
}

type Shown = Result<Json<EngineReport>, Problem>;

async fn shown(ctx: &Ctx, app: &App, id: &str) -> Shown {
    Ok(Json(app.engines.report(ctx, id).await?))
}

/// Every engine with its state, and every refused file with its reason.
#[utoipa::path(get, path = "/api/v1/engines", operation_id = "list_engines", tag = "engines",
    responses((status = 200, description = "Engines", body = EngineList)),
    extensions(("x-permission" = json!("engines:read"))))]
async fn list_engines(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<EngineList>, Problem> {
    Ok(Json(app.engines.list(&ctx)?))
}

/// The console pages of engines: what to load, and why a page is locked. For any caller.
#[utoipa::path(get, path = "/api/v1/engines/-/ui", operation_id = "list_engine_uis", tag = "engines",
    responses((status = 200, description = "Engines with pages", body = ui::EngineUiList)))]
async fn list_engine_uis(ctx: Ctx, State(app): State<Arc<App>>) -> Json<ui::EngineUiList> {
    Json(ui::list(&app.engines, &ctx))
}

/// Everything about one engine.
#[utoipa::path(get, path = "/api/v1/engines/{id}", operation_id = "get_engine", tag = "engines",
    params(("id" = String, Path, description = "Engine")),
    responses((status = 200, description = "Engine", body = EngineReport)),
    extensions(("x-permission" = json!("engines:read"))))]
async fn get_engine(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<String>) -> Shown {
    shown(&ctx, &app, &id).await
}

/// Install or upgrade an engine. The body is the package.
#[utoipa::path(post, path = "/api/v1/engines", operation_id = "install_engine", tag = "engines",
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 201, description = "Stored; `state` says whether it serves", body = Installed),
        (status = 409, description = "Below the version floor"), (status = 422, description = "Refused")),
    extensions(("x-permission" = json!("engines:install"))))]
async fn install_engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<(StatusCode, Json<Installed>), Problem> {
    Ok((StatusCode::CREATED, Json(app.engines.upload(&ctx, body).await?)))
}

/// Verify a package and say what it asks for, without taking it in. The body is the package.
#[utoipa::path(post, path = "/api/v1/engines/-/inspect", operation_id = "inspect_engine", tag = "engines",
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, description = "What it is", body = Inspection), (status = 422, description = "Refused")),
    extensions(("x-permission" = json!("engines:install"))))]
async fn inspect_engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<Json<Inspection>, Problem> {
    Ok(Json(app.engines.inspect(&ctx, body).await?))
}

/// Switch an engine on, or try a failed one again.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/enable", operation_id = "enable_engine", tag = "engines",
    params(("id" = String, Path, description = "Engine")),
    responses((status = 200, description = "Engine", body = EngineReport)),
    extensions(("x-permission" = json!("engines:manage"))))]
async fn enable_engine(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<String>) -> Shown {
    app.engines.enable(&ctx, &id).await?;
    shown(&ctx, &app, &id).await
}

/// Switch an engine off; its data stays.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/disable", operation_id = "disable_engine", tag = "engines",
    params(("id" = String, Path, description = "Engine")),
    responses((status = 200, description = "Engine", body = EngineReport)),
    extensions(("x-permission" = json!("engines:manage"))))]
async fn disable_engine(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<String>) -> Shown {
    app.engines.disable(&ctx, &id).await?;
    shown(&ctx, &app, &id).await
}

/// Where to go back to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Rollback {
    /// A stored version; the one before when absent.
    version: Option<String>,
}

/// Go back to an earlier version. This lowers the version floor.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/rollback", operation_id = "rollback_engine", tag = "engines",
    params(("id" = String, Path, description = "Engine")), request_body = Rollback,
    responses((status = 200, description = "Engine", body = EngineReport)),
    extensions(("x-permission" = json!("engines:install"))))]
async fn rollback_engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Json(r): Json<Rollback>,
) -> Shown {
    app.engines.rollback(&ctx, &id, r.version.as_deref()).await?;
    shown(&ctx, &app, &id).await
}

/// Where an engine runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ModeChange {
    /// `in_process` or `isolated`.
    mode: String,
}

/// Run an engine in the host's process or in one of its own.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/mode", operation_id = "set_engine_mode", tag = "engines",
    params(("id" = String, Path, description = "Engine")), request_body = ModeChange,
    responses((status = 200, description = "Engine", body = EngineReport)),
    extensions(("x-permission" = json!("engines:manage"))))]
async fn set_engine_mode(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Json(r): Json<ModeChange>,
) -> Shown {
    app.engines.set_mode(&ctx, &id, &r.mode).await?;
    shown(&ctx, &app, &id).await
}

/// Decisions on capabilities, in either form.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Grants {
    /// Capability -> granted; what is not named stays.
    grants: BTreeMap<String, bool>,
    /// The whole set: what the engine asks for and is not named here is withdrawn.
    capabilities: Option<Vec<String>>,
}

/// Grant or withdraw capabilities; the engine loads again with what it has then.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/grants", operation_id = "set_engine_grants", tag = "engines",
    params(("id" = String, Path, description = "Engine")), request_body = Grants,
    responses((status = 200, description = "Engine", body = EngineReport)),
    extensions(("x-permission" = json!("engines:manage"))))]
async fn set_engine_grants(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Json(mut r): Json<Grants>,
) -> Shown {
    if let Some(whole) = r.capabilities {
        ctx.require("engines:manage")?;
        let asked = app.engines.known(&id)?.manifest();
        let asked = asked.iter().flat_map(|m| &m.capabilities.uses).map(|c| (c.name().to_owned(), false));
        r.grants.extend(asked.chain(whole.into_iter().map(|c| (c, true))).collect::<Vec<_>>());
    }
    app.engines.set_grants(&ctx, &id, &r.grants).await?;
    shown(&ctx, &app, &id).await
}

/// Values of settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingChanges {
    /// Key -> value, of the kinds in the manifest.
    #[schema(value_type = Object)]
    settings: BTreeMap<String, Value>,
}

/// Change settings of an engine.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/settings", operation_id = "set_engine_settings", tag = "engines",
    params(("id" = String, Path, description = "Engine")), request_body = SettingChanges,
    responses((status = 200, description = "Engine", body = EngineReport)),
    extensions(("x-permission" = json!("engines:manage"))))]
async fn set_engine_settings(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Json(r): Json<SettingChanges>,
) -> Shown {
    ctx.require("engines:manage")?;
    let manifest =
        app.engines.known(&id)?.manifest().ok_or_else(|| Problem::not_found("installed engine"))?;
    for (key, value) in &r.settings {
        settings::check(&manifest, key, value).map_err(|e| Problem::invalid("settings", e))?;
    }
    for (key, value) in r.settings {
        app.settings.set(&ctx, &id, &key, value).await?;
    }
    shown(&ctx, &app, &id).await
}

/// What to remove.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Uninstall {
    /// Its tables, files and settings too; needs an export of the last day.
    purge: bool,
}

/// Stop an engine and remove its packages. Its data stays unless `purge`.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/uninstall", operation_id = "uninstall_engine", tag = "engines",
    params(("id" = String, Path, description = "Engine")), request_body = Uninstall,
    responses((status = 204, description = "Uninstalled"), (status = 409, description = "Export first")),
    extensions(("x-permission" = json!("engines:install"))))]
async fn uninstall_engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Json(r): Json<Uninstall>,
) -> Result<StatusCode, Problem> {
    app.engines.uninstall(&ctx, &id, r.purge).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The engine's data: a tar of JSON lines, a file per table.
#[utoipa::path(post, path = "/api/v1/engines/{id}/-/export", operation_id = "export_engine", tag = "engines",
    params(("id" = String, Path, description = "Engine")),
    responses((status = 200, description = "Data", body = String, content_type = "application/x-tar")),
    extensions(("x-permission" = json!("engines:install"))))]
async fn export_engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let body = app.engines.export(&ctx, &id).await?;
    let name = format!("attachment; filename=\"{id}.tar\"");
    Ok(([(header::CONTENT_TYPE, "application/x-tar".to_owned()), (header::CONTENT_DISPOSITION, name)], body)
        .into_response())
}

/// The last log lines of an engine.
#[derive(Debug, serde::Serialize, ToSchema)]
struct LogLines {
    /// Oldest first.
    items: Vec<LogLine>,
}

/// The last log lines of an engine, oldest first.
#[utoipa::path(get, path = "/api/v1/engines/{id}/-/logs", operation_id = "list_engine_logs", tag = "engines",
    params(("id" = String, Path, description = "Engine")),
    responses((status = 200, description = "Lines", body = LogLines)),
    extensions(("x-permission" = json!("engines:manage"))))]
async fn list_engine_logs(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<LogLines>, Problem> {
    ctx.require("engines:manage")?;
    Ok(Json(LogLines { items: app.engines.known(&id)?.logs.lines() }))
}
