//! `/api/v1/plans` and `/api/v1/engines`: open to everybody.

use std::sync::Arc;

use axum::extract::State;
use http::Method;

use super::Plan;
use crate::{
    app::App,
    http::{Access, Items, Json, Path, Routes},
    problem::Problem,
    releases::{Engine, Release},
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(Method::GET, "/api/v1/plans", Access::Public, plans)
        .lists::<Plan>()
        .on(Method::GET, "/api/v1/engines", Access::Public, engines)
        .on(Method::GET, "/api/v1/engines/{engine}/releases", Access::Public, releases)
}

async fn plans(State(app): State<Arc<App>>) -> Json<Items<Plan>> {
    Json(Items { items: app.config.catalogue.plans.clone() })
}

async fn engines(State(app): State<Arc<App>>) -> Result<Json<Items<Engine>>, Problem> {
    Ok(Json(Items { items: app.releases.engines().await? }))
}

async fn releases(
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
) -> Result<Json<Items<Release>>, Problem> {
    Ok(Json(Items { items: app.releases.of_engine(&engine).await? }))
}
