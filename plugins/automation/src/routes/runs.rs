//! Runs.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
};
use chrono::{DateTime, Utc};
use plugin_sdk::{Ctx, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    idempotency_key,
    query::{PageQuery, run_states, short},
};
use crate::{
    engine::Automation,
    service::{Cancel, Made, NewRun, Retry},
    store::runs::Filter,
    views::{Page, RunView},
};

/// Filters of the history.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Script.
    pub script_id: Option<Uuid>,
    /// States, separated by commas.
    pub state: Option<String>,
    /// Who made it, as `user:<uuid>`.
    pub actor: Option<String>,
    /// A machine among its targets.
    pub machine_id: Option<Uuid>,
    /// Schedule that made it.
    pub schedule_id: Option<Uuid>,
    /// Made at or after.
    pub since: Option<DateTime<Utc>>,
    /// Made before.
    pub until: Option<DateTime<Utc>>,
    /// Items wanted, at most 200; 50 when absent.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<Uuid>,
}

impl RunQuery {
    /// The filter of the store.
    pub fn filter(self) -> Result<Filter, Problem> {
        Ok(Filter {
            script_id: self.script_id,
            states: run_states(self.state.as_deref())?,
            actor: short("actor", self.actor)?,
            machine_id: self.machine_id,
            schedule_id: self.schedule_id,
            since: self.since,
            until: self.until,
        })
    }
}

/// A new run: 201, or 200 with `idempotent-replayed: true` when its key made it before.
pub type MadeAnswer = (StatusCode, [(HeaderName, HeaderValue); 1], Json<RunView>);

/// The answer for a run that was made.
pub fn answer(made: Made) -> MadeAnswer {
    let (status, replayed) =
        if made.replayed { (StatusCode::OK, "true") } else { (StatusCode::CREATED, "false") };
    let header = (HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static(replayed));
    (status, [header], Json(made.run))
}

/// Run a script on machines that are frozen now.
#[utoipa::path(post, path = "/scripts/{id}/runs", params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = NewRun,
    responses((status = 201, body = RunView), (status = 200, body = RunView)),
    extensions(("x-permission" = json!("automation:scripts:run"))))]
pub async fn create_run(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(mut new): Json<NewRun>,
) -> Result<MadeAnswer, Problem> {
    new.idempotency_key = idempotency_key(&headers, new.idempotency_key.take());
    Ok(answer(engine.service.create_run(&ctx, id, new).await?))
}

/// Runs that the caller may see, newest first.
#[utoipa::path(get, path = "/runs", params(RunQuery),
    responses((status = 200, body = Page<RunView>)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn list_runs(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Query(query): Query<RunQuery>,
) -> Result<Json<Page<RunView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    Ok(Json(engine.service.list_runs(&ctx, &query.filter()?, page.into()).await?))
}

/// One run.
#[utoipa::path(get, path = "/runs/{id}", params(("id" = Uuid, Path)),
    responses((status = 200, body = RunView)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn get_run(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<RunView>, Problem> {
    Ok(Json(engine.service.get_run(&ctx, id).await?))
}

/// Stop a run, or some of its machines.
#[utoipa::path(post, path = "/runs/{id}/cancel", params(("id" = Uuid, Path)), request_body = Cancel,
    responses((status = 200, body = RunView)),
    extensions(("x-permission" = json!("automation:runs:cancel"))))]
pub async fn cancel_run(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(cancel): Json<Cancel>,
) -> Result<Json<RunView>, Problem> {
    Ok(Json(engine.service.cancel_run(&ctx, id, cancel).await?))
}

/// Run again what did not succeed, or any subset, as a new run.
#[utoipa::path(post, path = "/runs/{id}/retry", params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = Retry,
    responses((status = 201, body = RunView), (status = 200, body = RunView)),
    extensions(("x-permission" = json!("automation:scripts:run"))))]
pub async fn retry_run(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(mut retry): Json<Retry>,
) -> Result<MadeAnswer, Problem> {
    retry.idempotency_key = idempotency_key(&headers, retry.idempotency_key.take());
    Ok(answer(engine.service.retry_run(&ctx, id, retry).await?))
}
