//! `/api/v1/software`: what is installed across machines.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Installed, Listing, Order, Package, Title, TitleDetails};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
    selector::Selector,
};

type InstalledPage = PageSchema<Installed>;
type PackagePage = PageSchema<Package>;
type TitlePage = PageSchema<Title>;

/// Routes of software.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(machines))
        .routes(routes!(of_machine))
}

/// A selector as it stands in a query; nothing when it is empty.
pub(super) fn selector(app: &App, ctx: &Ctx, q: Option<String>) -> Result<Option<Selector>, Problem> {
    Ok(q.filter(|q| !q.trim().is_empty()).map(|q| app.selectors.parse(ctx, &q)).transpose()?)
}

/// `name` or `-machines`.
pub(super) fn order(sort: Option<&str>) -> Result<Order, Problem> {
    match sort {
        None | Some("name") => Ok(Order::Name),
        Some("machines" | "-machines") => Ok(Order::Machines),
        Some(_) => Err(Problem::invalid("sort", "Sort by `name` or `-machines`.")),
    }
}

/// Which software.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Selector: only what machines it matches have, and counted there.
    q: Option<String>,
    /// With this in its name.
    search: Option<String>,
    /// Of this package system: `dpkg`, `rpm`, `snap`, ...
    manager: Option<String>,
    /// `name` (default) or `-machines`, those on most machines first.
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// Software across machines, by title.
#[utoipa::path(get, path = "/api/v1/software", tag = "software", operation_id = "list_software",
    extensions(("x-permission" = json!("machines:read"))), params(ListQuery),
    responses((status = 200, body = TitlePage), (status = 422, body = ProblemBody)))]
async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Title>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let listing = Listing {
        selector: selector(&app, &ctx, query.q)?,
        search: query.search,
        manager: query.manager,
        order: order(query.sort.as_deref())?,
        after: page.after()?,
        limit: page.limit(),
        ..Listing::default()
    };
    Ok(Json(app.software.titles(&ctx, listing).await?))
}

/// On which machines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GetQuery {
    /// Selector: counted on machines it matches.
    q: Option<String>,
}

/// One title with its versions.
#[utoipa::path(get, path = "/api/v1/software/{software}", tag = "software", operation_id = "get_software",
    extensions(("x-permission" = json!("machines:read"))),
    params(("software" = String, Path, description = "id or name"), GetQuery),
    responses((status = 200, body = TitleDetails), (status = 404, body = ProblemBody)))]
async fn get(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(software): Path<String>,
    Query(query): Query<GetQuery>,
) -> Result<Json<TitleDetails>, Problem> {
    let selector = selector(&app, &ctx, query.q)?;
    Ok(Json(app.software.title(&ctx, &software, selector.as_ref()).await?))
}

/// Which machines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MachinesQuery {
    /// Selector.
    q: Option<String>,
    /// With this version.
    version: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// Machines that have a title, by name.
#[utoipa::path(get, path = "/api/v1/software/{software}/machines", tag = "software",
    operation_id = "list_machines_with_software", extensions(("x-permission" = json!("machines:read"))),
    params(("software" = String, Path, description = "id or name"), MachinesQuery),
    responses((status = 200, body = InstalledPage), (status = 404, body = ProblemBody)))]
async fn machines(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(software): Path<String>,
    Query(query): Query<MachinesQuery>,
) -> Result<Json<Page<Installed>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let listing = Listing {
        selector: selector(&app, &ctx, query.q)?,
        version: query.version,
        after: page.after()?,
        limit: page.limit(),
        ..Listing::default()
    };
    Ok(Json(app.software.machines_of(&ctx, &software, listing).await?))
}

/// Which packages of a machine.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PackagesQuery {
    /// With this in its name.
    search: Option<String>,
    /// Of this package system.
    manager: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// What is installed on a machine.
#[utoipa::path(get, path = "/api/v1/machines/{id}/software", tag = "machines",
    operation_id = "list_machine_software", extensions(("x-permission" = json!("machines:read"))),
    params(("id" = Uuid, Path), PackagesQuery),
    responses((status = 200, body = PackagePage), (status = 404, body = ProblemBody)))]
async fn of_machine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(query): Query<PackagesQuery>,
) -> Result<Json<Page<Package>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let listing = Listing {
        search: query.search,
        manager: query.manager,
        after: page.after()?,
        limit: page.limit(),
        ..Listing::default()
    };
    Ok(Json(app.software.of_machine(&ctx, &app.machines, id, "packages", listing).await?))
}
