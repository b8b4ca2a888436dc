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
];

/// Routes that need a caller but no permission of their own: what one sees is one's own.
pub const ANY_CALLER: &[&str] = &[
    "/api/v1/me",
    "/api/v1/me/password",
    "/api/v1/me/sessions",
    "/api/v1/me/sessions/{id}",
    "/api/v1/tokens",
    "/api/v1/tokens/{id}",
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
    match super::access::caller(&app, &parts).await {
        Err(problem) if !PUBLIC.contains(&path.as_str()) => return problem.into_response(),
        Ok(None) if !PUBLIC.contains(&path.as_str()) => return Problem::unauthenticated().into_response(),
        Err(_) | Ok(None) => {}
        Ok(Some(ctx)) => {
            let method = if parts.method == http::Method::HEAD { "GET" } else { parts.method.as_str() };
            if let Some(Err(forbidden)) = permits.get(method, &path).map(|p| ctx.require(p)) {
                return Problem::from(forbidden).into_response();
            }
            tracing::debug!(actor = %ctx.actor, "caller");
            parts.extensions.insert(ctx);
        }
    }
    next.run(Request::from_parts(parts, body)).await
}
