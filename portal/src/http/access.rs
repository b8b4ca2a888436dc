//! Finds the caller of a request: an API token or a session.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
};
use http::{HeaderMap, HeaderName, StatusCode, header, request::Parts};
use licenses::{HostProof, SignedRequest};

use super::tell::RequestId;
use crate::{
    accounts::TOKEN_PREFIX,
    app::App,
    ctx::{Actor, Ctx},
    problem::Problem,
};

/// The caller; `None` when the request carries no credentials, or those of a session that has ended.
pub(super) async fn caller(app: &Arc<App>, parts: &Parts) -> Result<Option<Ctx>, Problem> {
    let mut ctx = visitor(parts);
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Problem::unauthenticated())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(Problem::unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") || !token.starts_with(TOKEN_PREFIX) {
            return Err(Problem::unauthenticated());
        }
        let known = app.accounts.identify_token(&mut ctx, token.trim()).await?;
        return if known { Ok(Some(ctx)) } else { Err(Problem::unauthenticated()) };
    }
    let Some(session) = session_cookie(app, &parts.headers) else { return Ok(None) };
    if !app.accounts.identify_session(&mut ctx, session).await? {
        return Ok(None);
    }
    if !parts.method.is_safe() {
        require_same_origin(&parts.headers)?;
    }
    Ok(Some(ctx))
}

/// Whether a request carries a host's proof, good or not.
pub(super) fn brings_proof(request: &Request) -> bool {
    let header = request.headers().get(header::AUTHORIZATION);
    header.and_then(|value| value.to_str().ok()).is_some_and(HostProof::is_one)
}

/// A request of a host, with its [`Ctx`] in it. The proof is over the body, which is therefore read here; before that a
/// request without a proof is refused.
pub(super) async fn host(app: &Arc<App>, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let refused = || {
        let detail = "Send the host's proof: `Authorization: SysManage-Host ...`.";
        Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    };
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let header = header.filter(|text| HostProof::is_one(text)).ok_or_else(refused)?.to_owned();
    let limit = usize::try_from(app.config.http.max_body_kib).unwrap_or(usize::MAX).saturating_mul(1024);
    let body = axum::body::to_bytes(body, limit).await.map_err(|_| {
        let detail = "The body is larger than this route accepts, or did not arrive whole.";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    })?;
    let ctx = identify_host(app, &parts, &header, &body).await?;
    parts.extensions.insert::<Ctx>(ctx);
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The host behind a request whose `Authorization` header is a proof ([`HostProof::is_one`]).
pub async fn identify_host(app: &Arc<App>, parts: &Parts, header: &str, body: &[u8]) -> Result<Ctx, Problem> {
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let request = SignedRequest { method: parts.method.as_str(), target, body: SignedRequest::digest(body) };
    let host = app.hosts.identify(header, &request).await?;
    let ctx = visitor(parts);
    let actor = Actor::Host(host.instance.clone());
    Ok(Ctx { actor_name: format!("host {}", host.instance), actor, host: Some(Arc::new(host)), ..ctx })
}

/// Who visits, without rights.
pub fn visitor(parts: &Parts) -> Ctx {
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    Ctx { client_ip: client_ip(parts), ..Ctx::new(Actor::Visitor, "visitor", id) }
}

/// The client's address. A proxy on this computer says whose request it passes on; others are not believed.
fn client_ip(parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip())?;
    if !peer.is_loopback() {
        return Some(peer);
    }
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
    last.and_then(|ip| ip.trim().parse().ok()).or(Some(peer))
}

/// The session's token in the cookies.
pub fn session_cookie<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie(headers, app.session_cookie())
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
        "A page of another origin sent this; the portal takes such requests only from its own pages.";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail))
}
