//! A route is a method, a path, who may use it, and a handler: one cannot be added without saying who.

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, Request, State},
    handler::Handler,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use http::Method;
use uuid::Uuid;

use super::access;
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    problem::Problem,
};

/// Who may use a route. Services ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever signed in; what one sees is one's own.
    SignedIn,
    /// Members of the organisation `{org}` of the path whose role has the permission.
    Member(Permission),
    /// The vendor's staff.
    Staff,
    /// Hosts that prove their instance key and a licence, with each request.
    Host,
    /// Whoever signed in, and hosts; the service asks for a licence.
    Download,
}

/// A route that there is.
#[derive(Debug, Clone)]
pub struct RouteInfo {
    /// Method.
    pub method: Method,
    /// Path with parameters.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

/// Routes being collected.
pub struct Routes {
    app: Arc<App>,
    router: Router<Arc<App>>,
    declared: Vec<RouteInfo>,
}

impl Routes {
    /// None yet.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, router: Router::new(), declared: Vec::new() }
    }

    /// Add a route.
    pub fn on<H, T>(mut self, method: Method, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("routes have methods that HTTP knows");
        let guard = from_fn_with_state((self.app.clone(), access), guard);
        self.router = self.router.route(path, on(filter, handler).route_layer(guard));
        self.declared.push(RouteInfo { method, path, access });
        self
    }

    pub(super) fn finish(self) -> (Router<Arc<App>>, Vec<RouteInfo>) {
        (self.router, self.declared)
    }
}

/// Runs before a handler, and before the body is read.
async fn guard(State((app, access)): State<(Arc<App>, Access)>, request: Request, next: Next) -> Response {
    if access == Access::Host || (access == Access::Download && access::brings_proof(&request)) {
        return match access::host(&app, request).await {
            Ok(request) => next.run(request).await,
            Err(problem) => problem.into_response(),
        };
    }
    let (mut parts, body) = request.into_parts();
    let ctx = match access::caller(&app, &parts).await {
        Ok(Some(ctx)) => ctx,
        // A credential that is no longer one does not close public pages.
        Ok(None) | Err(_) if access == Access::Public => access::visitor(&parts),
        Ok(None) => return Problem::unauthenticated().into_response(),
        Err(problem) => return problem.into_response(),
    };
    let allowed = match access {
        Access::Public | Access::SignedIn | Access::Host | Access::Download => Ok(()),
        Access::Staff => ctx.require_staff().map_err(Problem::from),
        Access::Member(permission) => match organisation(&mut parts).await {
            Some(id) => ctx.require(id, permission).map_err(Problem::from),
            None => Err(Problem::not_found()),
        },
    };
    if let Err(problem) = allowed {
        return problem.into_response();
    }
    parts.extensions.insert::<Ctx>(ctx);
    next.run(Request::from_parts(parts, body)).await
}

async fn organisation(parts: &mut http::request::Parts) -> Option<Uuid> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    params.iter().find(|(name, _)| *name == "org").and_then(|(_, value)| value.parse().ok())
}
