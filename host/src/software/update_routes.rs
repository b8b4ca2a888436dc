//! `/api/v1/updates`: what could be updated across machines.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    Installed, Listing, Package, Update,
    routes::{order, selector},
};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
};

type InstalledPage = PageSchema<Installed>;
type PackagePage = PageSchema<Package>;
type UpdatePage = PageSchema<Update>;

/// Routes of updates.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(machines)).routes(routes!(of_machine))
}

/// Which updates.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Selector: only what machines it matches need, and counted there. `/machines/{id}/updates` knows no selector.
    q: Option<String>,
    /// With this in its name.
    search: Option<String>,
    /// Of this package system.
    manager: Option<String>,
    /// Only those that mend security, or only others.
    security: Option<bool>,
    /// `name` (default) or `-machines`, those on most machines first.
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

impl ListQuery {
    fn listing(self, app: &App, ctx: &Ctx) -> Result<Listing, Problem> {
        let page = PageQuery { cursor: self.cursor, limit: self.limit };
        Ok(Listing {
            selector: selector(app, ctx, self.q)?,
            search: self.search,
            manager: self.manager,
            security: self.security,
            order: order(self.sort.as_deref())?,
            after: page.after()?,
            limit: page.limit(),
            version: None,
        })
    }
}

/// Updates across machines, by package and new version.
#[utoipa::path(get, path = "/api/v1/updates", tag = "software", operation_id = "list_updates",
    extensions(("x-permission" = json!("machines:read"))), params(ListQuery),
    responses((status = 200, body = UpdatePage), (status = 422, body = ProblemBody)))]
async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Update>>, Problem> {
    Ok(Json(app.software.updates(&ctx, query.listing(&app, &ctx)?).await?))
}

/// Which machines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MachinesQuery {
    /// Selector.
    q: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// Machines that need an update, by name. An update that nobody needs has none.
#[utoipa::path(get, path = "/api/v1/updates/{update}/machines", tag = "software",
    operation_id = "list_machines_needing_update", extensions(("x-permission" = json!("machines:read"))),
    params(("update" = i32, Path, description = "id"), MachinesQuery),
    responses((status = 200, body = InstalledPage), (status = 422, body = ProblemBody)))]
async fn machines(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(update): Path<i32>,
    Query(query): Query<MachinesQuery>,
) -> Result<Json<Page<Installed>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let listing = Listing {
        selector: selector(&app, &ctx, query.q)?,
        after: page.after()?,
        limit: page.limit(),
        ..Listing::default()
    };
    Ok(Json(app.software.machines_needing(&ctx, update, listing).await?))
}

/// What could be updated on a machine.
#[utoipa::path(get, path = "/api/v1/machines/{id}/updates", tag = "machines",
    operation_id = "list_machine_updates", extensions(("x-permission" = json!("machines:read"))),
    params(("id" = Uuid, Path), ListQuery),
    responses((status = 200, body = PackagePage), (status = 404, body = ProblemBody)))]
async fn of_machine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Package>>, Problem> {
    Ok(Json(app.software.of_machine(&ctx, &app.machines, id, "updates", query.listing(&app, &ctx)?).await?))
}
