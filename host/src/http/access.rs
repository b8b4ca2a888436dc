//! Finds the caller of a request: the admin socket's operator, an API token, or a session.

use std::sync::Arc;

use chrono::Duration;
use http::{HeaderMap, HeaderName, StatusCode, header, request::Parts};
use uuid::Uuid;

use super::{Peer, problems::RequestId};
use crate::{
    accounts::COOKIE,
    app::App,
    ctx::{Actor, Ctx},
    permissions::Grant,
    problem::Problem,
};

/// The caller; `None` when the request carries no credentials.
pub async fn caller(app: &Arc<App>, parts: &Parts) -> Result<Option<Ctx>, Problem> {
    let Some(mut ctx) = identify(app, parts).await? else { return Ok(None) };
    ctx.deadline = i64::try_from(app.config.http.request_timeout_s)
        .ok()
        .and_then(|s| app.clock.now().checked_add_signed(Duration::seconds(s)));
    ctx.client_ip = peer(parts).and_then(|p| p.address).map(|a| a.ip());
    ctx.user_agent = user_agent(&parts.headers);
    Ok(Some(ctx))
}

async fn identify(app: &Arc<App>, parts: &Parts) -> Result<Option<Ctx>, Problem> {
    let request_id = request_id(parts);
    if peer(parts).is_some_and(|p| p.uid.is_some()) {
        return Ok(Some(Ctx::new(Actor::LocalRoot, "root", vec![Grant::everything()], request_id)));
    }
    let Some(secret) = secret(parts)? else { return Ok(None) };
    let identity = app.accounts.identify(secret).await?.ok_or_else(Problem::unauthenticated)?;
    let mut ctx = Ctx::new(identity.actor, identity.name, Vec::new(), request_id);
    ctx.grants = identity.grants;
    ctx.roles = identity.roles;
    ctx.session = identity.session;
    Ok(Some(ctx))
}

/// The API token, or the session's, which a page of another origin must not use.
fn secret(parts: &Parts) -> Result<Option<&str>, Problem> {
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Problem::unauthenticated())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(Problem::unauthenticated)?;
        let bearer = scheme.eq_ignore_ascii_case("bearer") && token.starts_with("smt_");
        return if bearer { Ok(Some(token.trim())) } else { Err(Problem::unauthenticated()) };
    }
    let cookie = session_cookie(&parts.headers);
    if cookie.is_some() && !parts.method.is_safe() {
        require_same_origin(&parts.headers)?;
    }
    Ok(cookie)
}

/// The session's token in the cookies.
pub fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE)
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// Refuse what a browser sends for a page of another origin. Programs that are no browsers send neither header.
pub fn require_same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let same = match (text(header::ORIGIN), text(HeaderName::from_static("sec-fetch-site"))) {
        (Some(origin), _) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST)
        }
        (None, Some(site)) => site == "same-origin" || site == "none",
        (None, None) => true,
    };
    if same {
        return Ok(());
    }
    let detail =
        "A page of another origin sent this; the host takes such requests only from its own console.";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail))
}

/// The other end of the connection.
pub fn peer(parts: &Parts) -> Option<&Peer> {
    parts.extensions.get::<Peer>()
}

/// The request's id.
pub fn request_id(parts: &Parts) -> String {
    parts.extensions.get::<RequestId>().map_or_else(|| Uuid::now_v7().to_string(), |id| id.0.clone())
}

/// What the client calls itself, cut to a sensible length.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(200).collect())
}
