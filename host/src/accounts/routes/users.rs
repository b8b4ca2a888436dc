//! `/api/v1/users`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::me::Ended;
use crate::{
    accounts::{
        Session, User,
        users::{NewUser, UserChange},
    },
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query, etag},
    problem::Problem,
};

type UserPage = PageSchema<User>;

/// A password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    /// The new password.
    password: String,
}

/// List users by name.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(PageQuery),
    extensions(("x-permission" = json!("users:read"))), responses((status = OK, body = UserPage)))]
pub(super) async fn list_users(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<User>>, Problem> {
    Ok(Json(app.accounts.list_users(&ctx, page.after()?, page.limit()).await?))
}

/// Create a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    extensions(("x-permission" = json!("users:manage"))), responses((status = CREATED, body = User)))]
pub(super) async fn create_user(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(new): Json<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.create_user(&ctx, new).await?)))
}

/// Get a user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("users:read"))), responses((status = OK, body = User)))]
pub(super) async fn get_user(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let user = app.accounts.get_user(&ctx, id).await?;
    Ok(etag::answer(&headers, user.updated_at, user))
}

/// Change a user. `If-Match` makes it fail when somebody else changed it.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    request_body = UserChange, extensions(("x-permission" = json!("users:manage"))),
    responses((status = OK, body = User)))]
pub(super) async fn update_user(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(change): Json<UserChange>,
) -> Result<Json<User>, Problem> {
    let matches = |user: &User| etag::if_match(&headers, user.updated_at);
    Ok(Json(app.accounts.update_user(&ctx, id, change, matches).await?))
}

/// Who takes over.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Heir {
    /// Id of the user who gets what the deleted one made.
    reassign_to: Option<Uuid>,
}

/// Delete a user, with sessions and API tokens; what they made otherwise goes to `reassign_to`.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", params(("id" = Uuid, Path), Heir),
    extensions(("x-permission" = json!("users:manage"))), responses((status = NO_CONTENT)))]
pub(super) async fn delete_user(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(heir): Query<Heir>,
) -> Result<StatusCode, Problem> {
    app.accounts.delete_user(&ctx, id, heir.reassign_to).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a user a new password; their sessions end.
#[utoipa::path(post, path = "/api/v1/users/{id}/password", tag = "users", params(("id" = Uuid, Path)),
    request_body = NewPassword, extensions(("x-permission" = json!("users:manage"))),
    responses((status = NO_CONTENT)))]
pub(super) async fn reset_password(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(new): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    app.accounts.reset_password(&ctx, id, &new.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a user who is locked after wrong passwords try again.
#[utoipa::path(post, path = "/api/v1/users/{id}/unlock", tag = "users", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("users:manage"))), responses((status = OK, body = User)))]
pub(super) async fn unlock_user(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<User>, Problem> {
    Ok(Json(app.accounts.unlock(&ctx, id).await?))
}

/// Take away the second factor of a user who lost it; their sessions end.
#[utoipa::path(post, path = "/api/v1/users/{id}/totp-reset", tag = "users", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("users:manage"))), responses((status = NO_CONTENT)))]
pub(super) async fn reset_totp(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.accounts.reset_totp(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sessions of a user.
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("users:manage"))), responses((status = OK, body = Vec<Session>)))]
pub(super) async fn list_user_sessions(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<Session>>, Problem> {
    Ok(Json(app.accounts.user_sessions(&ctx, id).await?))
}

/// End every session of a user.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("users:manage"))), responses((status = OK, body = Ended)))]
pub(super) async fn end_user_sessions(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Ended>, Problem> {
    Ok(Json(Ended { ended: app.accounts.end_user_sessions(&ctx, id).await? }))
}

/// End one session of a user.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions/{session}", tag = "users",
    params(("id" = Uuid, Path), ("session" = Uuid, Path)),
    extensions(("x-permission" = json!("users:manage"))), responses((status = NO_CONTENT)))]
pub(super) async fn end_user_session(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((id, session)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    app.accounts.end_user_session(&ctx, id, session).await?;
    Ok(StatusCode::NO_CONTENT)
}
