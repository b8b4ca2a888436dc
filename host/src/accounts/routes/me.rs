//! `/api/v1/me`: what one is, may and has open.

use std::{collections::BTreeSet, sync::Arc};

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::session::told;
use crate::{
    accounts::{Session, User, profile::ProfileChange},
    app::App,
    ctx::Ctx,
    http::{Json, Path},
    problem::Problem,
};

/// Who one is.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// `user:<uuid>`, `token:<uuid>` or `local:root`.
    actor: String,
    /// Name to show.
    name: String,
    /// The user; absent for the operator on the host itself.
    user: Option<User>,
    /// Permissions held, on at least some machines.
    permissions: BTreeSet<String>,
    /// Names of roles.
    roles: Vec<String>,
    /// What the console keeps for one: a JSON object.
    #[schema(value_type = Object)]
    preferences: serde_json::Value,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePassword {
    /// The one in force.
    current: String,
    /// The new one.
    new: String,
}

/// Who one is and what one may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses((status = OK, body = Me)))]
pub(super) async fn get_me(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Me>, Problem> {
    let user = match ctx.actor.user_id() {
        Some(id) => Some(app.accounts.get_user(&ctx, id).await?),
        None => None,
    };
    let names = app.permissions.names();
    let permissions = ctx.held(names.iter().map(String::as_str));
    let (roles, preferences) = (ctx.roles.to_vec(), app.accounts.own_preferences(&ctx).await?);
    Ok(Json(Me { actor: ctx.actor.to_string(), name: ctx.actor_name, user, permissions, roles, preferences }))
}

/// Change one's name, language and preferences.
#[utoipa::path(patch, path = "/api/v1/me", tag = "me", request_body = ProfileChange,
    responses((status = OK, body = User)))]
pub(super) async fn update_me(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(change): Json<ProfileChange>,
) -> Result<Json<User>, Problem> {
    Ok(Json(app.accounts.update_own_profile(&ctx, change).await?))
}

/// Change one's password; one's other sessions end.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "me", request_body = ChangePassword,
    responses((status = NO_CONTENT)))]
pub(super) async fn change_own_password(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(change): Json<ChangePassword>,
) -> Result<StatusCode, Problem> {
    app.accounts.change_own_password(&ctx, &change.current, &change.new).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own sessions.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "me", responses((status = OK, body = Vec<Session>)))]
pub(super) async fn list_own_sessions(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<Session>>, Problem> {
    Ok(Json(app.accounts.own_sessions(&ctx).await?))
}

/// How many sessions ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Ended {
    pub(super) ended: u64,
}

/// End one's sessions but the one that asks.
#[utoipa::path(delete, path = "/api/v1/me/sessions", tag = "me", responses((status = OK, body = Ended)))]
pub(super) async fn end_other_sessions(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<Ended>, Problem> {
    Ok(Json(Ended { ended: app.accounts.end_other_sessions(&ctx).await? }))
}

/// End one of one's sessions.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "me", params(("id" = Uuid, Path)),
    responses((status = NO_CONTENT)))]
pub(super) async fn end_own_session(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.accounts.end_session(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
