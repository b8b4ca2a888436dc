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
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};
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
    /// The handler's name in the program.
    pub handler: &'static str,
    /// What the handler is given, by the names of the types.
    pub given: &'static str,
    /// What its body holds, where that is JSON.
    pub takes: Option<Shape>,
    /// What it answers, where that is described.
    pub answers: Option<Shape>,
}

/// A type as the API's document tells it.
#[derive(Clone)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// Whether it is a list of these.
    pub list: bool,
    pub(super) collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Shape {
    fn of<T: ToSchema>(list: bool) -> Self {
        let collect = |into: &mut Vec<(String, RefOr<Schema>)>| {
            T::schemas(into);
            into.push((T::name().into_owned(), T::schema()));
        };
        Self { name: T::name().into_owned(), list, collect }
    }
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
        self.declared.push(RouteInfo {
            method,
            path,
            access,
            handler: std::any::type_name::<H>(),
            given: std::any::type_name::<T>(),
            takes: None,
            answers: None,
        });
        self
    }

    /// Say what the body of the route that was added last holds.
    pub fn takes<T: ToSchema>(mut self) -> Self {
        if let Some(route) = self.declared.last_mut() {
            route.takes = Some(Shape::of::<T>(false));
        }
        self
    }

    /// Say what the route that was added last answers.
    pub fn answers<T: ToSchema>(mut self) -> Self {
        if let Some(route) = self.declared.last_mut() {
            route.answers = Some(Shape::of::<T>(false));
        }
        self
    }

    /// The same, of a list.
    pub fn lists<T: ToSchema>(mut self) -> Self {
        if let Some(route) = self.declared.last_mut() {
            route.answers = Some(Shape::of::<T>(true));
        }
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
