//! `/api/v1/machines/{id}/metrics`, `/api/v1/metrics`.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Order;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Figure, History, HistoryQuery, Summary, TopMachine, TopQuery, service};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Path, Query},
    problem::{Problem, ProblemBody},
    selector::Selector,
};

/// Points when none are asked for: about what a chart shows.
const POINTS: u32 = 300;
/// The figure when none is named.
const CPU: &str = "cpu.percent";

/// Routes of metrics.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(catalog))
        .routes(routes!(history))
        .routes(routes!(top))
        .routes(routes!(summary))
}

/// Every figure that machines report.
#[utoipa::path(get, path = "/api/v1/metrics/catalog", tag = "metrics", operation_id = "list_figures",
    extensions(("x-permission" = json!("machines:read"))),
    responses((status = 200, body = Vec<Figure>)))]
async fn catalog(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Vec<Figure>>, Problem> {
    Ok(Json(app.metrics.catalog(&ctx)?))
}

/// Which figures, and when.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryParams {
    /// Figures with commas between them; `disk.used_percent{*}` is every part. `cpu.percent` when absent.
    names: Option<String>,
    /// From then on; an hour before `to` when absent.
    from: Option<DateTime<Utc>>,
    /// Until then; now when absent.
    to: Option<DateTime<Utc>>,
    /// Most points, up to 2000; 300 when absent.
    points: Option<u32>,
}

/// Figures of a machine over time: least, mean and greatest, `null` where nothing was reported.
#[utoipa::path(get, path = "/api/v1/machines/{id}/metrics", tag = "metrics", operation_id = "get_machine_metrics",
    extensions(("x-permission" = json!("machines:read"))), params(("id" = Uuid, Path), HistoryParams),
    responses((status = 200, body = History), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
async fn history(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(params): Query<HistoryParams>,
) -> Result<Json<History>, Problem> {
    let query = HistoryQuery {
        names: service::names(params.names.as_deref().unwrap_or(CPU)),
        from_s: params.from.map(|at| at.timestamp()),
        to_s: params.to.map(|at| at.timestamp()),
        points: usize::try_from(params.points.unwrap_or(POINTS)).unwrap_or(1),
    };
    Ok(Json(app.metrics.history(&ctx, id, query).await?))
}

/// Parsed for this actor: others' private searches are not theirs to use.
fn selector(ctx: &Ctx, app: &App, q: Option<String>) -> Result<Option<Selector>, Problem> {
    let q = q.filter(|q| !q.trim().is_empty());
    Ok(q.map(|q| app.selectors.parse(ctx, &q)).transpose()?)
}

/// Which figure to sum up, and where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SummaryParams {
    /// Figure, one that the catalog calls ranked; `cpu.percent` when absent.
    name: Option<String>,
    /// Selector of machines.
    q: Option<String>,
}

/// Mean, median, 95th of a hundred, least and greatest of a figure's newest values; `null` when nobody reported any.
#[utoipa::path(get, path = "/api/v1/metrics/summary", tag = "metrics", operation_id = "sum_up_metrics",
    extensions(("x-permission" = json!("machines:read"))), params(SummaryParams),
    responses((status = 200, body = Option<Summary>), (status = 422, body = ProblemBody)))]
async fn summary(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(params): Query<SummaryParams>,
) -> Result<Json<Option<Summary>>, Problem> {
    let selector = selector(&ctx, &app, params.q)?;
    let name = params.name.unwrap_or_else(|| CPU.into());
    Ok(Json(app.metrics.summary(&ctx, &name, selector).await?))
}

/// Which machines to rank by what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TopParams {
    /// Figure, one that the catalog calls ranked.
    name: Option<String>,
    /// Selector of machines.
    q: Option<String>,
    /// `desc` (default) or `asc`.
    order: Option<String>,
    /// Most machines, up to 500; 10 when absent.
    limit: Option<u64>,
}

/// Machines ranked by the newest value of a figure.
#[utoipa::path(get, path = "/api/v1/metrics", tag = "metrics", operation_id = "rank_machines",
    extensions(("x-permission" = json!("machines:read"))), params(TopParams),
    responses((status = 200, body = Vec<TopMachine>), (status = 422, body = ProblemBody)))]
async fn top(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(params): Query<TopParams>,
) -> Result<Json<Vec<TopMachine>>, Problem> {
    let order = match params.order.as_deref() {
        None | Some("desc") => Order::Desc,
        Some("asc") => Order::Asc,
        Some(_) => return Err(Problem::invalid("order", "Order by `desc` or `asc`.")),
    };
    let selector = selector(&ctx, &app, params.q)?;
    let name = params.name.unwrap_or_else(|| CPU.into());
    let query = TopQuery { name, selector, order, limit: params.limit.unwrap_or(10).clamp(1, 500) };
    Ok(Json(app.metrics.top(&ctx, query).await?))
}
