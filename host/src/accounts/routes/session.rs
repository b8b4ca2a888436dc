//! `/api/v1/session`: log in and out.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    accounts::{COOKIE, Session, sessions::Client},
    app::App,
    ctx::Ctx,
    http::{Json, Peer, access, problems::RequestId},
    problem::Problem,
};

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    /// Name.
    name: String,
    /// Password.
    password: String,
}

/// Log in; the answer sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", security(()), request_body = LogIn,
    responses((status = CREATED, body = Session)))]
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    axum::Extension(RequestId(request_id)): axum::Extension<RequestId>,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Json(who): Json<LogIn>,
) -> Result<Response, Problem> {
    access::require_same_origin(&headers)?;
    let client = Client {
        ip: peer.and_then(|p| p.address).map(|a| a.ip()),
        user_agent: access::user_agent(&headers),
        request_id,
    };
    let new = app.accounts.log_in(&who.name, &who.password, client).await.map_err(|error| {
        let problem = Problem::from(error);
        let wait = problem.extras.get("retry_after_s").and_then(serde_json::Value::as_u64);
        match wait {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    })?;
    let age = u64::from(app.config.auth.session_hours) * 3600;
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict", new.token);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(new.session)).into_response())
}

/// Log out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = NO_CONTENT)))]
pub(super) async fn log_out(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = access::session_cookie(&headers) {
        app.accounts.log_out(&ctx, token).await?;
    }
    let cookie = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
