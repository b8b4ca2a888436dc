//! Deny by default: a route needs a known caller unless it is listed as public, and the permission that its OpenAPI
//! operation names as `x-permission` before its body is read. Services check again.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use utoipa::openapi::OpenApi;

use crate::{app::App, problem::Problem};

/// Routes without a caller, by path.
pub const PUBLIC: &[&str] = &[
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/openapi.json",
    "/install.sh",
    "/install/authority.pem",
    "/install/agent/{target}",
    "/api/v1/setup",
    "/api/v1/session",
    "/api/v1/session/totp",
    "/api/v1/session/totp/enrol",
    "/api/v1/session/totp/confirm",
    "/api/v1/auth/methods",
    "/api/v1/auth/oidc/{provider}/start",
    "/api/v1/auth/oidc/{provider}/callback",
    "/api/v1/invitations/-/look",
    "/api/v1/invitations/-/accept",
];

/// Routes that need a caller but no permission of their own: what one sees is one's own.
pub const ANY_CALLER: &[&str] = &[
    "/api/v1/me",
    "/api/v1/me/password",
    "/api/v1/me/sessions",
    "/api/v1/me/sessions/{id}",
    "/api/v1/tokens",
    "/api/v1/tokens/{id}",
    "/api/v1/tokens/{id}/rotate",
    "/api/v1/me/totp",
    "/api/v1/me/totp/confirm",
    "/api/v1/me/totp/recovery-codes",
    "/api/v1/me/totp/disable",
    "/api/v1/access/explain",
    "/api/v1/events",
    "/api/v1/notifications",
    "/api/v1/notifications/-/read",
    "/api/v1/engines/-/ui",
];

/// The permission of each operation, by method and path.
#[derive(Debug, Clone, Default)]
pub struct Permits(Arc<HashMap<(String, String), String>>);

impl Permits {
    /// Read them from the document.
    pub fn of(document: &OpenApi) -> Self {
        let json = serde_json::to_value(document).unwrap_or_default();
        let mut permits = HashMap::new();
        for (path, item) in json["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Some(permission) = operation["x-permission"].as_str() {
                    permits.insert((method.to_uppercase(), path.clone()), permission.to_owned());
                }
            }
        }
        Self(Arc::new(permits))
    }

    /// The permission that `method path` needs.
    pub fn get(&self, method: &str, path: &str) -> Option<&str> {
        self.0.get(&(method.to_owned(), path.to_owned())).map(String::as_str)
    }
}

/// The layer. It runs inside the router, where the matched path is known.
pub async fn guard(
    State((app, permits)): State<(Arc<App>, Permits)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some(path) = parts.extensions.get::<MatchedPath>().map(|m| m.as_str().to_owned()) else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let ctx = match super::access::caller(&app, &parts).await {
        Err(problem) if !PUBLIC.contains(&path.as_str()) => return problem.into_response(),
        Ok(None) if !PUBLIC.contains(&path.as_str()) => return Problem::unauthenticated().into_response(),
        Err(_) | Ok(None) => return next.run(Request::from_parts(parts, body)).await,
        Ok(Some(ctx)) => ctx,
    };
    let method = parts.method.clone();
    let name = if method == http::Method::HEAD { "GET" } else { method.as_str() };
    let mut response = match permits.get(name, &path).map(|p| ctx.require(p)) {
        Some(Err(forbidden)) => Problem::from(forbidden).into_response(),
        Some(Ok(())) | None => {
            tracing::debug!(actor = %ctx.actor, "caller");
            parts.extensions.insert(ctx.clone());
            next.run(Request::from_parts(parts, body)).await
        }
    };
    super::refusals::help(&app, &ctx, &method, &path, &mut response).await;
    response
}
