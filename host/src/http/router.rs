//! The routes of every slice in one router, with the layers around them.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use http::{HeaderName, HeaderValue, StatusCode};
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{detach::detach, guard, health, idempotency, openapi, problems};
use crate::{
    accounts, app::App, audit, console, engines, events, license, machines, marketplace, metrics,
    notifications, operations, releases, searches, secrets, selector, software,
};

/// Every slice's routes, with their document. A new slice adds a line here.
fn slices() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(accounts::router())
        .merge(audit::routes::router())
        .merge(secrets::routes::router())
        .merge(notifications::routes::router())
        .merge(machines::router())
        .merge(metrics::router())
        .merge(selector::routes::router())
        .merge(searches::router())
        .merge(software::router())
        .merge(operations::router())
        .merge(engines::router())
        .merge(license::router())
        .merge(releases::router())
        .merge(marketplace::router())
}

/// Routes that stream or take long: no time limit. Each guards its own pace.
fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(audit::routes::streams())
        .merge(events::routes::router())
        .merge(operations::streams())
        .merge(engines::streams())
        .merge(releases::streams())
        .merge(marketplace::streams())
}

/// The document of the host's own routes.
pub fn document() -> OpenApi {
    slices().merge(streams()).into_openapi()
}

/// The router of the API, for TCP and the admin socket alike.
pub fn router(app: &Arc<App>) -> Router {
    let limit = usize::try_from(app.config.http.max_body_kib).unwrap_or(usize::MAX).saturating_mul(1024);
    let timeout = Duration::from_secs(app.config.http.request_timeout_s);
    let (timed, mut api) = slices().split_for_parts();
    let (streams, streams_api) = streams().split_for_parts();
    api.merge(streams_api);
    let permits = guard::Permits::of(&api);
    let document = openapi::Document::of(&api);
    timed
        .route("/api/openapi.json", get(openapi::get))
        .route_layer(middleware::from_fn_with_state(app.clone(), idempotency::once))
        .route_layer(middleware::from_fn(detach))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, timeout))
        .merge(streams.route_layer(middleware::from_fn(detach)))
        .layer(axum::Extension(document))
        .layer(DefaultBodyLimit::max(limit))
        .route_layer(middleware::from_fn_with_state((app.clone(), permits), guard::guard))
        .fallback(console::serve)
        .layer(CatchPanicLayer::custom(problems::panicked))
        .layer(middleware::from_fn(problems::tell))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("referrer-policy", "same-origin"))
        .with_state(app.clone())
}

fn header(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
}
