//! `/api/v1/session`: log in, in one step or two, and out.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    accounts::{
        AccountError, COOKIE, Session,
        second_factor::Enrolment,
        sign_in::{Client, HalfSession, NewSession, SignedIn},
    },
    app::App,
    ctx::Ctx,
    http::{Json, access},
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

/// A half-session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecondStep {
    /// `half_session` of the first step.
    half_session: String,
}

/// A half-session and a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeStep {
    /// `half_session` of the first step.
    half_session: String,
    /// Six digits of the authenticator, or a recovery code.
    code: String,
}

/// A session, and what stands in for the second factor when it is lost.
#[derive(Serialize, ToSchema)]
pub(super) struct EnrolledSession {
    /// The session.
    session: Session,
    /// Each works once. Told this once.
    recovery_codes: Vec<String>,
}

/// Where the browser may go to end the provider's session too.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedOut {
    /// Address of the provider.
    logout_url: String,
}

/// Log in. 201 sets the session's cookie; 202 asks for a second step.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", security(()), request_body = LogIn,
    responses((status = CREATED, body = Session), (status = ACCEPTED, body = HalfSession)))]
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    parts: Parts,
    Json(who): Json<LogIn>,
) -> Result<Response, Problem> {
    let client = client(&parts)?;
    match app.accounts.log_in(&who.name, &who.password, client).await.map_err(told)? {
        SignedIn::Whole(new) => Ok(with_cookie(&app, new, |session| session)),
        SignedIn::Half(half) => {
            Ok((StatusCode::ACCEPTED, [(header::CACHE_CONTROL, "no-store")], Json(half)).into_response())
        }
    }
}

/// The second step: a code, or a recovery code; the answer sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session/totp", tag = "session", security(()), request_body = CodeStep,
    responses((status = CREATED, body = Session)))]
pub(super) async fn log_in_with_code(
    State(app): State<Arc<App>>,
    parts: Parts,
    Json(step): Json<CodeStep>,
) -> Result<Response, Problem> {
    let client = client(&parts)?;
    let new = app.accounts.log_in_with_code(&step.half_session, &step.code, client).await.map_err(told)?;
    Ok(with_cookie(&app, new, |session| session))
}

/// The second step where a second factor has to be set up: its secret.
#[utoipa::path(post, path = "/api/v1/session/totp/enrol", tag = "session", security(()), request_body = SecondStep,
    responses((status = OK, body = Enrolment)))]
pub(super) async fn enrol_at_log_in(
    State(app): State<Arc<App>>,
    parts: Parts,
    Json(step): Json<SecondStep>,
) -> Result<Json<Enrolment>, Problem> {
    let client = client(&parts)?;
    Ok(Json(app.accounts.enrol_at_log_in(&step.half_session, &client).await.map_err(told)?))
}

/// The last step of that: a code; the answer sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session/totp/confirm", tag = "session", security(()), request_body = CodeStep,
    responses((status = CREATED, body = EnrolledSession)))]
pub(super) async fn confirm_at_log_in(
    State(app): State<Arc<App>>,
    parts: Parts,
    Json(step): Json<CodeStep>,
) -> Result<Response, Problem> {
    let client = client(&parts)?;
    let done = app.accounts.confirm_at_log_in(&step.half_session, &step.code, client).await;
    let (new, recovery_codes) = done.map_err(told)?;
    Ok(with_cookie(&app, new, |session| EnrolledSession { session, recovery_codes }))
}

/// Log out. 200 names where the provider's own session can be ended; 204 where there is none.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = NO_CONTENT), (status = OK, body = LoggedOut)))]
pub(super) async fn log_out(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut logout_url = None;
    if let Some(token) = access::session_cookie(&headers)
        && let Some(method) = app.accounts.log_out(&ctx, token).await?
    {
        logout_url = app.accounts.provider_logout(&method, &app.link("/")).await;
    }
    let cookie = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict");
    let cookie = [(header::SET_COOKIE, cookie)];
    Ok(match logout_url {
        Some(logout_url) => (StatusCode::OK, cookie, Json(LoggedOut { logout_url })).into_response(),
        None => (StatusCode::NO_CONTENT, cookie).into_response(),
    })
}

/// Who tries; refused when a page of another origin sent it: it must not sign a visitor in as somebody else.
pub(super) fn client(parts: &Parts) -> Result<Client, Problem> {
    access::require_same_origin(&parts.headers)?;
    Ok(visitor(parts))
}

/// Who visits, from wherever.
pub(super) fn visitor(parts: &Parts) -> Client {
    Client {
        ip: access::peer(parts).and_then(|p| p.address).map(|a| a.ip()),
        user_agent: access::user_agent(&parts.headers),
        request_id: access::request_id(parts),
    }
}

/// A refusal, with the seconds to wait in its header too.
pub(super) fn told(error: AccountError) -> Problem {
    let problem = Problem::from(error);
    match problem.extras.get("retry_after_s").and_then(serde_json::Value::as_u64) {
        Some(seconds) => problem.retry_after(seconds),
        None => problem,
    }
}

/// The cookie of a new session.
pub(super) fn cookie_of(app: &App, new: &NewSession) -> String {
    let age = u64::from(app.config.auth.session_hours) * 3600;
    format!("{COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict", new.token)
}

fn with_cookie<T: Serialize>(app: &App, new: NewSession, body: impl FnOnce(Session) -> T) -> Response {
    let headers = [(header::SET_COOKIE, cookie_of(app, &new)), (header::CACHE_CONTROL, "no-store".into())];
    let session = Session { current: true, ..new.session };
    (StatusCode::CREATED, headers, Json(body(session))).into_response()
}
