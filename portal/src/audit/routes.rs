//! `/api/v1/organisations/{org}/audit` and `/api/v1/vendor/audit`.

use std::sync::Arc;

use axum::extract::State;
use http::Method;
use serde::Deserialize;
use uuid::Uuid;

use super::entity;
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Items, Json, Path, Query, Routes},
    problem::Problem,
};

/// Where a page begins.
#[derive(Deserialize)]
struct Before {
    /// Id of the last entry of the page before.
    before: Option<Uuid>,
}

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let org = "/api/v1/organisations/{org}/audit";
    routes.on(Method::GET, org, Access::Member(Permission::AuditRead), list).on(
        Method::GET,
        "/api/v1/vendor/audit",
        Access::Staff,
        list_all,
    )
}

async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Query(page): Query<Before>,
) -> Result<Json<Items<entity::Model>>, Problem> {
    Ok(Json(Items { items: app.audit.list(&ctx, org, page.before).await? }))
}

async fn list_all(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<Before>,
) -> Result<Json<Items<entity::Model>>, Problem> {
    Ok(Json(Items { items: app.audit.list_all(&ctx, page.before).await? }))
}
