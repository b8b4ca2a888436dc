//! `/api/v1/me/totp`: one's own second factor.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::told;
use crate::{
    accounts::second_factor::{Enrolment, SecondFactor},
    app::App,
    ctx::Ctx,
    http::Json,
    problem::Problem,
};

/// One's password, so that nobody does this at an unattended screen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    /// The one in force.
    password: String,
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    /// Six digits of the authenticator.
    code: String,
}

/// What stands in for the second factor when it is lost.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodes {
    /// Each works once. Told this once.
    recovery_codes: Vec<String>,
}

/// The state of one's second factor.
#[utoipa::path(get, path = "/api/v1/me/totp", tag = "me", responses((status = OK, body = SecondFactor)))]
pub(super) async fn get_own_totp(
    ctx: Ctx,
    State(app): State<Arc<App>>,
) -> Result<Json<SecondFactor>, Problem> {
    Ok(Json(app.accounts.own_totp(&ctx).await?))
}

/// Begin to set up a second factor; it counts once a code confirms it.
#[utoipa::path(post, path = "/api/v1/me/totp", tag = "me", request_body = Password,
    responses((status = OK, body = Enrolment)))]
pub(super) async fn begin_own_totp(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Password>,
) -> Result<Response, Problem> {
    Ok(once(app.accounts.begin_own_totp(&ctx, &body.password).await.map_err(told)?))
}

/// Confirm it with a code; from now on codes are asked for.
#[utoipa::path(post, path = "/api/v1/me/totp/confirm", tag = "me", request_body = Code,
    responses((status = OK, body = RecoveryCodes)))]
pub(super) async fn confirm_own_totp(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Code>,
) -> Result<Response, Problem> {
    let recovery_codes = app.accounts.confirm_own_totp(&ctx, &body.code).await?;
    Ok(once(RecoveryCodes { recovery_codes }))
}

/// New recovery codes; the old ones end.
#[utoipa::path(post, path = "/api/v1/me/totp/recovery-codes", tag = "me", request_body = Password,
    responses((status = OK, body = RecoveryCodes)))]
pub(super) async fn renew_recovery_codes(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Password>,
) -> Result<Response, Problem> {
    let recovery_codes = app.accounts.renew_recovery_codes(&ctx, &body.password).await.map_err(told)?;
    Ok(once(RecoveryCodes { recovery_codes }))
}

/// Turn the second factor off, unless a role requires it.
#[utoipa::path(post, path = "/api/v1/me/totp/disable", tag = "me", request_body = Password,
    responses((status = NO_CONTENT)))]
pub(super) async fn disable_own_totp(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Password>,
) -> Result<StatusCode, Problem> {
    app.accounts.disable_own_totp(&ctx, &body.password).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer that holds secrets: nothing on the way may keep it.
fn once(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
