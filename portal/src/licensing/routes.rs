//! `/api/v1/organisations/{org}/licenses` and `/api/v1/revocations`.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header};
use uuid::Uuid;

use super::{KeyView, License};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Items, Json, Path, Routes},
    problem::Problem,
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let read = Access::Member(Permission::LicensesRead);
    routes
        .on(Method::GET, "/api/v1/organisations/{org}/licenses", read, list)
        .on(Method::GET, "/api/v1/organisations/{org}/licenses/{id}", read, get)
        .on(Method::GET, "/api/v1/organisations/{org}/licenses/{id}/file", read, file)
        .on(Method::GET, "/api/v1/revocations", Access::Public, revocations)
        .on(Method::GET, "/api/v1/vendor/keys", Access::Staff, keys)
        .lists::<KeyView>()
        .on(Method::POST, "/api/v1/vendor/keys/-/reload", Access::Staff, reload_keys)
        .lists::<KeyView>()
}

async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
) -> Result<Json<Items<License>>, Problem> {
    Ok(Json(Items { items: app.licensing.list(&ctx, org).await? }))
}

async fn get(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, String)>,
) -> Result<Json<License>, Problem> {
    Ok(Json(app.licensing.get(&ctx, org, &id).await?))
}

/// The edition in force, for `sysmanage license install FILE`.
async fn file(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, String)>,
) -> Result<Response, Problem> {
    let license = app.licensing.get(&ctx, org, &id).await?;
    let edition = license.editions.into_iter().next().ok_or_else(Problem::not_found)?;
    Ok(license_file(&license.id, &edition.token))
}

/// A licence as the file that hosts install.
pub(crate) fn license_file(id: &str, token: &str) -> Response {
    let name = format!("attachment; filename=\"sysmanage-{id}.license\"");
    let headers = [(header::CONTENT_TYPE, "text/plain".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, format!("{token}\n")).into_response()
}

/// The signed revocation list, which hosts verify themselves; 204 while nothing was revoked.
async fn revocations(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    Ok(match app.licensing.revocations().await? {
        Some(list) => ([(header::CONTENT_TYPE, "application/json")], list).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

async fn keys(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Items<KeyView>>, Problem> {
    Ok(Json(Items { items: app.licensing.list_keys(&ctx)? }))
}

/// Read the configuration's keys again; the answer is what signs from now on.
async fn reload_keys(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Items<KeyView>>, Problem> {
    Ok(Json(Items { items: app.licensing.reload_keys(&ctx).await? }))
}
