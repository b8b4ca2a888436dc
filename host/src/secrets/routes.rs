//! `/api/v1/secrets`: names out, values in.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Secret;
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::Problem,
};

type SecretPage = PageSchema<Secret>;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_secrets)).routes(routes!(set_secret, delete_secret))
}

/// A secret's value. It never comes back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetSecret {
    /// Value, up to 64 KiB.
    value: String,
    /// What it is for.
    #[serde(default)]
    description: String,
}

/// List secrets by name; never their values.
#[utoipa::path(get, path = "/api/v1/secrets", tag = "secrets", params(PageQuery),
    extensions(("x-permission" = json!("secrets:read"))), responses((status = OK, body = SecretPage)))]
async fn list_secrets(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Secret>>, Problem> {
    Ok(Json(app.secrets.list(&ctx, page.after()?, page.limit()).await?))
}

/// Create or replace a secret.
#[utoipa::path(put, path = "/api/v1/secrets/{name}", tag = "secrets", params(("name" = String, Path)),
    request_body = SetSecret, extensions(("x-permission" = json!("secrets:manage"))),
    responses((status = OK, body = Secret)))]
async fn set_secret(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Json(new): Json<SetSecret>,
) -> Result<Json<Secret>, Problem> {
    Ok(Json(app.secrets.set(&ctx, &name, &new.description, &new.value).await?))
}

/// Delete a secret.
#[utoipa::path(delete, path = "/api/v1/secrets/{name}", tag = "secrets", params(("name" = String, Path)),
    extensions(("x-permission" = json!("secrets:manage"))), responses((status = NO_CONTENT)))]
async fn delete_secret(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.secrets.delete(&ctx, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
