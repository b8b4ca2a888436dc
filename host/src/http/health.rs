//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use super::{Json, Peer};
use crate::{app::App, ctx::Ctx, problem::Problem};

/// The process's recorder. A process has one, however many hosts its tests start.
fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
    let install = || PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?.install_recorder().ok();
    HANDLE.get_or_init(install).as_ref()
}

/// Record metrics from now on.
pub fn install_recorder() {
    if recorder().is_none() {
        tracing::warn!("metrics are recorded elsewhere; /metrics stays empty");
    }
}

/// The process answers.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The host can work: its database answers and it is not stopping.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let not_ready =
        |why: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).retry_after(5);
    if app.shutdown.is_cancelled() {
        return Err(not_ready("The host is stopping."));
    }
    app.db.ping().await.map_err(|_| not_ready("The database does not answer."))?;
    Ok(Json(json!({"status": "ready"})))
}

/// Metrics in Prometheus' text format.
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    ctx: Option<axum::Extension<Ctx>>,
    peer: Option<axum::Extension<Peer>>,
) -> Result<Response, Problem> {
    let local = peer.is_some_and(|p| p.address.is_some_and(|a| a.ip().to_canonical().is_loopback()));
    match ctx {
        _ if local || app.config.metrics.public => {}
        Some(ctx) => ctx.require("metrics:read")?,
        None => return Err(Problem::unauthenticated()),
    }
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
