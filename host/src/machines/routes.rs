//! `/api/v1/machines`.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Machine, MachineChange, MachineDetails, MachineQuery, Section, SectionSummary};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
};

type MachinePage = PageSchema<Machine>;

/// Routes of machines.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, update, delete))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(watch))
        .routes(routes!(inventory))
        .routes(routes!(section))
}

/// Which machines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Selector: `os:debian tag:web`.
    q: Option<String>,
    /// `created` (default), `name`, `last_seen`, `os`, `updates` or `security`; a `-` before it turns the order round.
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// List machines.
#[utoipa::path(get, path = "/api/v1/machines", tag = "machines", operation_id = "list_machines",
    extensions(("x-permission" = json!("machines:read"))), params(ListQuery),
    responses((status = 200, body = MachinePage), (status = 422, body = ProblemBody)))]
async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Machine>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let sort = query.sort.as_deref().unwrap_or("created").parse()?;
    let selector =
        query.q.filter(|q| !q.trim().is_empty()).map(|q| app.selectors.parse(&ctx, &q)).transpose()?;
    let query = MachineQuery { selector, sort, after: page.after()?, limit: page.limit() };
    Ok(Json(app.machines.list(&ctx, query).await?))
}

/// One machine with metrics, engines and sections.
#[utoipa::path(get, path = "/api/v1/machines/{id}", tag = "machines", operation_id = "get_machine",
    extensions(("x-permission" = json!("machines:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = MachineDetails), (status = 404, body = ProblemBody)))]
async fn get(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<MachineDetails>, Problem> {
    Ok(Json(app.machines.details(&ctx, id).await?))
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMachine {
    /// Name.
    name: Option<String>,
    /// Free text.
    notes: Option<String>,
    /// Tags, all of them.
    tags: Option<Vec<String>>,
}

/// Change name, notes or tags.
#[utoipa::path(patch, path = "/api/v1/machines/{id}", tag = "machines", operation_id = "update_machine",
    extensions(("x-permission" = json!("machines:update"))), params(("id" = Uuid, Path)),
    request_body = UpdateMachine,
    responses((status = 200, body = Machine), (status = 404, body = ProblemBody)))]
async fn update(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(body): Json<UpdateMachine>,
) -> Result<Json<Machine>, Problem> {
    let change = MachineChange { name: body.name, notes: body.notes, tags: body.tags };
    Ok(Json(app.machines.update(&ctx, id, change).await?))
}

/// Remove a machine.
#[utoipa::path(delete, path = "/api/v1/machines/{id}", tag = "machines", operation_id = "delete_machine",
    extensions(("x-permission" = json!("machines:delete"))), params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
async fn delete(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    app.machines.delete(&ctx, id).await?;
    app.operations.machine_gone(id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a machine in.
#[utoipa::path(post, path = "/api/v1/machines/{id}/approve", tag = "machines", operation_id = "approve_machine",
    extensions(("x-permission" = json!("machines:approve"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Machine), (status = 402, body = ProblemBody), (status = 409, body = ProblemBody)))]
async fn approve(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Machine>, Problem> {
    Ok(Json(app.machines.approve(&ctx, id).await?))
}

/// Keep a machine out.
#[utoipa::path(post, path = "/api/v1/machines/{id}/reject", tag = "machines", operation_id = "reject_machine",
    extensions(("x-permission" = json!("machines:approve"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Machine), (status = 409, body = ProblemBody)))]
async fn reject(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Machine>, Problem> {
    let machine = app.machines.reject(&ctx, id).await?;
    app.operations.machine_gone(id).await;
    Ok(Json(machine))
}

/// How often and how long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WatchMachine {
    /// Between two readings, in milliseconds, 1000 to 60000.
    interval_ms: u32,
    /// For how long, in milliseconds, up to ten minutes.
    for_ms: u32,
}

impl Default for WatchMachine {
    fn default() -> Self {
        Self { interval_ms: 2000, for_ms: 60_000 }
    }
}

/// Publish `machine.metrics` events of a machine for a while.
#[utoipa::path(post, path = "/api/v1/machines/{id}/watch", tag = "machines", operation_id = "watch_machine",
    extensions(("x-permission" = json!("machines:read"))), params(("id" = Uuid, Path)),
    request_body = WatchMachine,
    responses((status = 202), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
async fn watch(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(body): Json<WatchMachine>,
) -> Result<StatusCode, Problem> {
    app.machines.watch(&ctx, id, body.interval_ms, body.for_ms).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Inventory sections the host has.
#[utoipa::path(get, path = "/api/v1/machines/{id}/inventory", tag = "machines", operation_id = "list_inventory",
    extensions(("x-permission" = json!("machines:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<SectionSummary>), (status = 404, body = ProblemBody)))]
async fn inventory(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<SectionSummary>>, Problem> {
    Ok(Json(app.machines.sections(&ctx, id).await?))
}

/// One inventory section.
#[utoipa::path(get, path = "/api/v1/machines/{id}/inventory/{section}", tag = "machines",
    operation_id = "get_inventory_section", extensions(("x-permission" = json!("machines:read"))),
    params(("id" = Uuid, Path), ("section" = String, Path)),
    responses((status = 200, body = Section), (status = 404, body = ProblemBody)))]
async fn section(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(Uuid, String)>,
) -> Result<Json<Section>, Problem> {
    Ok(Json(app.machines.section(&ctx, id, &name).await?))
}
