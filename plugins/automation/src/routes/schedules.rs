//! Schedules.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use plugin_sdk::{Ctx, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    query::PageQuery,
    runs::{MadeAnswer, answer},
};
use crate::{
    engine::Automation,
    model::rule::Rule,
    service::{NewSchedule, Preview},
    store::schedules::Filter,
    views::{Page, RunView, ScheduleView},
};

/// Filters of schedules.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScheduleQuery {
    /// Script.
    pub script_id: Option<Uuid>,
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// Items wanted, at most 200; 50 when absent.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<Uuid>,
}

/// How many of the next runs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// At most 50; 5 when absent.
    pub count: Option<usize>,
}

/// Schedules that the caller may see, newest first.
#[utoipa::path(get, path = "/schedules", params(ScheduleQuery),
    responses((status = 200, body = Page<ScheduleView>)),
    extensions(("x-permission" = json!("automation:schedules:read"))))]
pub async fn list_schedules(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Query(query): Query<ScheduleQuery>,
) -> Result<Json<Page<ScheduleView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = Filter { script_id: query.script_id, enabled: query.enabled };
    Ok(Json(engine.service.list_schedules(&ctx, &filter, page.into()).await?))
}

/// Make a schedule.
#[utoipa::path(post, path = "/schedules", request_body = NewSchedule,
    responses((status = 201, body = ScheduleView)),
    extensions(("x-permission" = json!("automation:schedules:write"))))]
pub async fn create_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Json(new): Json<NewSchedule>,
) -> Result<(StatusCode, Json<ScheduleView>), Problem> {
    Ok((StatusCode::CREATED, Json(engine.service.create_schedule(&ctx, new).await?)))
}

/// One schedule.
#[utoipa::path(get, path = "/schedules/{id}", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScheduleView)),
    extensions(("x-permission" = json!("automation:schedules:read"))))]
pub async fn get_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<ScheduleView>, Problem> {
    Ok(Json(engine.service.get_schedule(&ctx, id).await?))
}

/// Replace a schedule; from now on it acts for the caller.
#[utoipa::path(put, path = "/schedules/{id}", params(("id" = Uuid, Path)), request_body = NewSchedule,
    responses((status = 200, body = ScheduleView)),
    extensions(("x-permission" = json!("automation:schedules:write"))))]
pub async fn replace_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(new): Json<NewSchedule>,
) -> Result<Json<ScheduleView>, Problem> {
    Ok(Json(engine.service.replace_schedule(&ctx, id, new).await?))
}

/// Remove a schedule. Its runs stay.
#[utoipa::path(delete, path = "/schedules/{id}", params(("id" = Uuid, Path)),
    responses((status = 204)),
    extensions(("x-permission" = json!("automation:schedules:write"))))]
pub async fn delete_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    engine.service.delete_schedule(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switch a schedule on.
#[utoipa::path(post, path = "/schedules/{id}/enable", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScheduleView)),
    extensions(("x-permission" = json!("automation:schedules:write"))))]
pub async fn enable_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<ScheduleView>, Problem> {
    Ok(Json(engine.service.set_schedule_enabled(&ctx, id, true).await?))
}

/// Switch a schedule off.
#[utoipa::path(post, path = "/schedules/{id}/disable", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScheduleView)),
    extensions(("x-permission" = json!("automation:schedules:write"))))]
pub async fn disable_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<ScheduleView>, Problem> {
    Ok(Json(engine.service.set_schedule_enabled(&ctx, id, false).await?))
}

/// Run a schedule's script now, as the caller.
#[utoipa::path(post, path = "/schedules/{id}/run", params(("id" = Uuid, Path)),
    responses((status = 201, body = RunView)),
    extensions(("x-permission" = json!("automation:scripts:run"))))]
pub async fn run_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<MadeAnswer, Problem> {
    Ok(answer(engine.service.run_schedule_now(&ctx, id).await?))
}

/// The next runs of a schedule.
#[utoipa::path(get, path = "/schedules/{id}/preview", params(("id" = Uuid, Path), PreviewQuery),
    responses((status = 200, body = Preview)),
    extensions(("x-permission" = json!("automation:schedules:read"))))]
pub async fn preview_schedule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Query(query): Query<PreviewQuery>,
) -> Result<Json<Preview>, Problem> {
    Ok(Json(engine.service.preview_schedule(&ctx, id, query.count.unwrap_or(5)).await?))
}

/// The next runs of a rule that is not saved.
#[utoipa::path(post, path = "/schedules/preview", params(PreviewQuery), request_body = Rule,
    responses((status = 200, body = Preview)),
    extensions(("x-permission" = json!("automation:schedules:read"))))]
pub async fn preview_rule(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Query(query): Query<PreviewQuery>,
    Json(rule): Json<Rule>,
) -> Result<Json<Preview>, Problem> {
    Ok(Json(engine.service.preview_rule(&ctx, rule, query.count.unwrap_or(5)).await?))
}
