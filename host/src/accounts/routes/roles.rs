//! `/api/v1/roles` and `/api/v1/permissions`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accounts::{Role, roles::NewRole},
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query, etag},
    permissions::Permission,
    problem::Problem,
};

type RolePage = PageSchema<Role>;

/// List roles by name.
#[utoipa::path(get, path = "/api/v1/roles", tag = "roles", params(PageQuery),
    extensions(("x-permission" = json!("roles:read"))), responses((status = OK, body = RolePage)))]
pub(super) async fn list_roles(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Role>>, Problem> {
    Ok(Json(app.accounts.list_roles(&ctx, page.after()?, page.limit()).await?))
}

/// Create a role.
#[utoipa::path(post, path = "/api/v1/roles", tag = "roles", request_body = NewRole,
    extensions(("x-permission" = json!("roles:manage"))), responses((status = CREATED, body = Role)))]
pub(super) async fn create_role(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(new): Json<NewRole>,
) -> Result<(StatusCode, Json<Role>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.create_role(&ctx, new).await?)))
}

/// Get a role.
#[utoipa::path(get, path = "/api/v1/roles/{id}", tag = "roles", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("roles:read"))), responses((status = OK, body = Role)))]
pub(super) async fn get_role(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let role = app.accounts.get_role(&ctx, id).await?;
    Ok(etag::answer(&headers, role.updated_at, role))
}

/// Replace a role. `If-Match` makes it fail when somebody else changed it.
#[utoipa::path(put, path = "/api/v1/roles/{id}", tag = "roles", params(("id" = Uuid, Path)), request_body = NewRole,
    extensions(("x-permission" = json!("roles:manage"))), responses((status = OK, body = Role)))]
pub(super) async fn update_role(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(new): Json<NewRole>,
) -> Result<Json<Role>, Problem> {
    let matches = |role: &Role| etag::if_match(&headers, role.updated_at);
    Ok(Json(app.accounts.update_role(&ctx, id, new, matches).await?))
}

/// Whether a role requires a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TotpRule {
    /// Whether those who have the role need one to sign in.
    required: bool,
}

/// Say whether those who have a role need a second factor; built-in roles take this too.
#[utoipa::path(put, path = "/api/v1/roles/{id}/totp", tag = "roles", params(("id" = Uuid, Path)),
    request_body = TotpRule, extensions(("x-permission" = json!("roles:manage"))),
    responses((status = OK, body = Role)))]
pub(super) async fn require_totp(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(rule): Json<TotpRule>,
) -> Result<Json<Role>, Problem> {
    Ok(Json(app.accounts.require_totp(&ctx, id, rule.required).await?))
}

/// Delete a role that nobody has.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = "roles", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("roles:manage"))), responses((status = NO_CONTENT)))]
pub(super) async fn delete_role(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.accounts.delete_role(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List permissions: the host's and those of running engines.
#[utoipa::path(get, path = "/api/v1/permissions", tag = "roles",
    extensions(("x-permission" = json!("roles:read"))), responses((status = OK, body = Vec<Permission>)))]
pub(super) async fn list_permissions(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<Permission>>, Problem> {
    ctx.require("roles:read")?;
    Ok(Json(app.permissions.all()))
}
