//! `/api/v1/changes` and `/api/v1/machines/{id}/changes`: the history of inventory.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{ChangeQuery, InventoryChange};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
};

type InventoryChangePage = PageSchema<InventoryChange>;

/// Routes of changes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(of_machine)).routes(routes!(of_fleet))
}

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ChangesQuery {
    /// Of this section.
    section: Option<String>,
    /// Not before this moment, RFC 3339.
    since: Option<DateTime<Utc>>,
    /// Before this moment.
    until: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

impl ChangesQuery {
    fn query(self) -> Result<ChangeQuery, Problem> {
        let page = PageQuery { cursor: self.cursor, limit: self.limit };
        Ok(ChangeQuery {
            selector: None,
            section: self.section,
            since: self.since,
            until: self.until,
            after: page.after()?,
            limit: page.limit(),
        })
    }
}

/// How a machine's inventory changed, newest first.
#[utoipa::path(get, path = "/api/v1/machines/{id}/changes", tag = "machines",
    operation_id = "list_inventory_changes", extensions(("x-permission" = json!("machines:read"))),
    params(("id" = Uuid, Path), ChangesQuery),
    responses((status = 200, body = InventoryChangePage), (status = 404, body = ProblemBody)))]
async fn of_machine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(query): Query<ChangesQuery>,
) -> Result<Json<Page<InventoryChange>>, Problem> {
    Ok(Json(app.machines.changes(&ctx, id, query.query()?).await?))
}

/// Which changes of the fleet.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FleetQuery {
    /// Selector: `os:debian tag:web`.
    q: Option<String>,
    /// Of this section.
    section: Option<String>,
    /// Not before this moment, RFC 3339.
    since: Option<DateTime<Utc>>,
    /// Before this moment.
    until: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// How the inventory of all machines changed, newest first.
#[utoipa::path(get, path = "/api/v1/changes", tag = "machines", operation_id = "list_fleet_changes",
    extensions(("x-permission" = json!("machines:read"))), params(FleetQuery),
    responses((status = 200, body = InventoryChangePage), (status = 422, body = ProblemBody)))]
async fn of_fleet(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<FleetQuery>,
) -> Result<Json<Page<InventoryChange>>, Problem> {
    let FleetQuery { q, section, since, until, cursor, limit } = query;
    let query = ChangesQuery { section, since, until, cursor, limit }.query()?;
    let selector = q.filter(|q| !q.trim().is_empty()).map(|q| app.selectors.parse(&ctx, &q)).transpose()?;
    Ok(Json(app.machines.fleet_changes(&ctx, ChangeQuery { selector, ..query }).await?))
}
