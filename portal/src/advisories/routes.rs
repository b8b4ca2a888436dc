//! `/api/v1/advisories`, `/api/v1/floors`, and the vendor's.

use std::sync::Arc;

use axum::extract::State;
use http::{Method, StatusCode};
use semver::Version;
use serde::Deserialize;

use super::{Advisory, Floor, NewAdvisory};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Access, Items, Json, Path, Query, Routes},
    problem::Problem,
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let one = "/api/v1/vendor/advisories/{id}";
    let floor = "/api/v1/vendor/floors/{engine}";
    routes
        .on(Method::GET, "/api/v1/advisories", Access::Public, list)
        .lists::<Advisory>()
        .on(Method::GET, "/api/v1/floors", Access::Public, floors)
        .lists::<Floor>()
        .on(Method::GET, "/api/v1/vendor/advisories", Access::Staff, list_all)
        .lists::<Advisory>()
        .on(Method::POST, "/api/v1/vendor/advisories", Access::Staff, publish)
        .takes::<NewAdvisory>()
        .answers::<Advisory>()
        .on(Method::GET, one, Access::Staff, get)
        .answers::<Advisory>()
        .on(Method::PUT, one, Access::Staff, update)
        .takes::<NewAdvisory>()
        .answers::<Advisory>()
        .on(Method::POST, "/api/v1/vendor/advisories/{id}/withdraw", Access::Staff, withdraw)
        .answers::<Advisory>()
        .on(Method::PUT, floor, Access::Staff, set_floor)
        .takes::<Lowest>()
        .answers::<Floor>()
        .on(Method::DELETE, floor, Access::Staff, remove_floor)
}

#[derive(Deserialize)]
struct Of {
    engine: Option<String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Lowest {
    #[schema(value_type = String)]
    version: Version,
}

async fn list(State(app): State<Arc<App>>, Query(of): Query<Of>) -> Result<Json<Items<Advisory>>, Problem> {
    Ok(Json(Items { items: app.advisories.list(of.engine.as_deref()).await? }))
}

async fn list_all(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Items<Advisory>>, Problem> {
    Ok(Json(Items { items: app.advisories.list_all(&ctx).await? }))
}

async fn get(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Advisory>, Problem> {
    Ok(Json(app.advisories.get(&ctx, &id).await?))
}

async fn publish(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(new): Json<NewAdvisory>,
) -> Result<(StatusCode, Json<Advisory>), Problem> {
    Ok((StatusCode::CREATED, Json(app.advisories.publish(&ctx, new).await?)))
}

async fn update(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Json(new): Json<NewAdvisory>,
) -> Result<Json<Advisory>, Problem> {
    Ok(Json(app.advisories.update(&ctx, &id, new).await?))
}

async fn withdraw(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Advisory>, Problem> {
    Ok(Json(app.advisories.withdraw(&ctx, &id).await?))
}

async fn floors(State(app): State<Arc<App>>) -> Result<Json<Items<Floor>>, Problem> {
    Ok(Json(Items { items: app.advisories.floors().await? }))
}

async fn set_floor(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
    Json(lowest): Json<Lowest>,
) -> Result<Json<Floor>, Problem> {
    Ok(Json(app.advisories.set_floor(&ctx, &engine, lowest.version).await?))
}

async fn remove_floor(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
) -> Result<StatusCode, Problem> {
    app.advisories.remove_floor(&ctx, &engine).await?;
    Ok(StatusCode::NO_CONTENT)
}
