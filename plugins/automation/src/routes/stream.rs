//! Live output as server-sent events.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use plugin_sdk::{Ctx, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::engine::Automation;

/// What to follow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// One machine; all when absent, up to 500.
    pub machine_id: Option<Uuid>,
    /// Of one machine: continue after this number, as `Last-Event-ID` does.
    pub after: Option<u64>,
}

/// Follow a run until it ends: events `state` and `output` by machine, then `end`.
#[utoipa::path(get, path = "/runs/{id}/output/stream",
    params(("id" = Uuid, Path), StreamQuery),
    responses((status = 200, content_type = "text/event-stream", body = String)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn stream_output(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let after = query.after.or(last).unwrap_or(0);
    let receiver = engine.service.follow(&ctx, id, query.machine_id, after).await?;
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let frame = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), receiver))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(frames)).into_response())
}
