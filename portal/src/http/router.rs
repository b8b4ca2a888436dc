//! The routes of every slice in one router, with the layers around them.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn_with_state, routing::get};
use http::{HeaderName, HeaderValue, StatusCode};
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer};

use super::{
    openapi,
    routes::{RouteInfo, Routes},
    tell,
};
use crate::{
    accounts, advisories, app::App, audit, catalogue, hosts, licensing, orders, pages, payments, releases,
    tuf,
};

/// No script at all, nothing from elsewhere, forms only to the portal and on to the payment page.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' \
     https://checkout.stripe.com; base-uri 'none'; frame-ancestors 'none'";

/// Routes that answer in a moment.
fn timed(app: &Arc<App>) -> Routes {
    let routes = Routes::new(app.clone());
    let routes = accounts::routes(routes);
    let routes = audit::routes::routes(routes);
    let routes = catalogue::routes::routes(routes);
    let routes = orders::routes::routes(routes);
    let routes = payments::routes::routes(routes);
    let routes = licensing::routes::routes(routes);
    let routes = hosts::routes::routes(routes);
    let routes = advisories::routes::routes(routes);
    let routes = releases::routes::routes(routes);
    let routes = tuf::routes::routes(routes);
    let routes = openapi::routes(routes);
    pages::routes(routes)
}

/// Routes that send for as long as the other side takes.
fn streams(app: &Arc<App>) -> Routes {
    tuf::routes::streams(releases::routes::streams(Routes::new(app.clone())))
}

/// Every route that there is.
pub fn declared(app: &Arc<App>) -> Vec<RouteInfo> {
    let streams = streams(app);
    timed(app).finish().1.into_iter().chain(streams.finish().1).collect()
}

/// The whole router.
pub fn router(app: &Arc<App>) -> Router {
    let limit = usize::try_from(app.config.http.max_body_kib).unwrap_or(usize::MAX).saturating_mul(1024);
    let timeout = Duration::from_secs(app.config.http.request_timeout_s);
    let (timed, _) = timed(app).finish();
    let (streams, _) = streams(app).finish();
    timed
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, timeout))
        .merge(streams)
        .layer(DefaultBodyLimit::max(limit))
        .layer(CatchPanicLayer::custom(tell::panicked))
        .layer(from_fn_with_state(app.clone(), tell::tell))
        .layer(header("content-security-policy", CONTENT_POLICY))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("referrer-policy", "same-origin"))
        .layer(header("cache-control", "no-store"))
        .with_state(app.clone())
}

async fn ready(app: axum::extract::State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.db.ping().await {
        Ok(()) if !app.licensing.keys().all_sign(app.clock.now()) => {
            (StatusCode::SERVICE_UNAVAILABLE, "no key signs: see sysmanage-portal keys check\n")
        }
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

fn header(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
}
