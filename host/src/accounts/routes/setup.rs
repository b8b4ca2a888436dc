//! `/api/v1/setup`: the first administrator.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    accounts::{AccountError, User, users::NewUser},
    app::App,
    ctx::Ctx,
    http::{Json, problems::RequestId},
    problem::Problem,
};

/// Whether the host waits for its first administrator.
#[derive(Serialize, ToSchema)]
pub(super) struct SetupState {
    needed: bool,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetUp {
    /// Token of the set-up link.
    token: String,
    /// Name to log in with.
    name: String,
    /// Name to show.
    #[serde(default)]
    display_name: Option<String>,
    /// Address for mail.
    #[serde(default)]
    email: Option<String>,
    /// Password.
    password: String,
}

/// A new set-up link.
#[derive(Serialize, ToSchema)]
pub(super) struct SetupLink {
    /// Open it in a browser within the hour.
    url: String,
    /// The token in it.
    token: String,
}

/// Whether set-up is needed.
#[utoipa::path(get, path = "/api/v1/setup", tag = "setup", security(()), responses((status = OK, body = SetupState)))]
pub(super) async fn get_setup(State(app): State<Arc<App>>) -> Result<Json<SetupState>, Problem> {
    Ok(Json(SetupState { needed: app.accounts.needs_setup().await? }))
}

/// Make the first administrator.
#[utoipa::path(post, path = "/api/v1/setup", tag = "setup", security(()), request_body = SetUp,
    responses((status = CREATED, body = User)))]
pub(super) async fn set_up(
    State(app): State<Arc<App>>,
    axum::Extension(RequestId(request_id)): axum::Extension<RequestId>,
    Json(new): Json<SetUp>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let admin = NewUser {
        name: new.name,
        display_name: new.display_name,
        email: new.email,
        password: new.password,
        roles: Vec::new(),
    };
    let user = app.accounts.set_up(&request_id, &new.token, admin).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// Make a new set-up link; the one before ends.
#[utoipa::path(post, path = "/api/v1/setup/link", tag = "setup",
    extensions(("x-permission" = json!("users:manage"))), responses((status = CREATED, body = SetupLink)))]
pub(super) async fn create_setup_link(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<(StatusCode, Json<SetupLink>), Problem> {
    let token = app.accounts.new_setup_token(&ctx).await?.ok_or(AccountError::SetUpAlready)?;
    Ok((StatusCode::CREATED, Json(SetupLink { url: app.link(&format!("/setup#{token}")), token })))
}
