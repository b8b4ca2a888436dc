//! `/api/v1/machines/facets` and `/api/v1/overview`.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    overview::{Facets, Trouble},
    trend::{MOST_DAYS, Trend},
};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Query},
    problem::{Problem, ProblemBody},
    selector::Selector,
};

/// Routes of counts.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(facets)).routes(routes!(overview)).routes(routes!(trend))
}

/// Which machines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FacetsQuery {
    /// Selector: `os:debian tag:web`.
    q: Option<String>,
}

/// How many machines have what: the filters beside a list.
#[utoipa::path(get, path = "/api/v1/machines/facets", tag = "machines", operation_id = "get_machine_facets",
    extensions(("x-permission" = json!("machines:read"))), params(FacetsQuery),
    responses((status = 200, body = Facets), (status = 422, body = ProblemBody)))]
async fn facets(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<FacetsQuery>,
) -> Result<Json<Facets>, Problem> {
    let selector =
        query.q.filter(|q| !q.trim().is_empty()).map(|q| app.selectors.parse(&ctx, &q)).transpose()?;
    Ok(Json(app.machines.facets(&ctx, selector.as_ref()).await?))
}

/// Everything at a glance. What the caller may not see is absent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// Machines of the fleet and what they need.
    machines: Facets,
    /// What is wrong with some of them.
    troubles: Vec<Trouble>,
    /// Machines that wait for a decision.
    pending: i64,
    /// Operations: `running` and `finished_last_day`, for those who see all of them.
    operations: Option<BTreeMap<String, u64>>,
    /// Engines by state.
    engines: Option<BTreeMap<String, i64>>,
    /// What the licence says.
    license: Option<LicenseSummary>,
}

/// What the licence says.
#[derive(Debug, Serialize, ToSchema)]
pub struct LicenseSummary {
    /// Licences that are installed.
    installed: usize,
    /// Machines they cover; no limit when absent.
    machines: Option<u64>,
}

/// The overview of everything.
#[utoipa::path(get, path = "/api/v1/overview", tag = "machines", operation_id = "get_overview",
    extensions(("x-permission" = json!("machines:read"))),
    responses((status = 200, body = Overview)))]
async fn overview(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Overview>, Problem> {
    let approved = "state:approved".parse::<Selector>()?;
    let machines = app.machines.facets(&ctx, Some(&approved)).await?;
    let troubles = app.machines.troubles(&ctx).await?;
    let pending = app.machines.by_state(&ctx).await?.get("pending").copied().unwrap_or_default();
    let operations = match ctx.allows("operations:read") {
        true => app.operations.by_state(&ctx).await?,
        false => None,
    };
    let engines = ctx.allows("engines:read").then(|| app.engines.by_state(&ctx)).transpose()?;
    let license = ctx
        .allows("license:read")
        .then(|| LicenseSummary { installed: app.license.installed(), machines: app.license.limits().hosts });
    Ok(Json(Overview { machines, troubles, pending, operations, engines, license }))
}

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TrendQuery {
    /// Days, 1 to 730; 7 when absent.
    days: Option<u32>,
}

/// The fleet over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetTrend {
    /// Absent for whom a scope keeps from seeing all machines.
    trend: Option<Trend>,
}

/// How many machines were there, online, and in need of something, over the last days.
#[utoipa::path(get, path = "/api/v1/overview/trend", tag = "machines", operation_id = "get_fleet_trend",
    extensions(("x-permission" = json!("machines:read"))), params(TrendQuery),
    responses((status = 200, body = FleetTrend), (status = 422, body = ProblemBody)))]
async fn trend(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<TrendQuery>,
) -> Result<Json<FleetTrend>, Problem> {
    let days = query.days.unwrap_or(7);
    if !(1..=MOST_DAYS).contains(&days) {
        let detail = format!("From 1 to {MOST_DAYS} days.");
        return Err(super::MachineError::Invalid { field: "days", detail }.into());
    }
    Ok(Json(FleetTrend { trend: app.machines.trend(&ctx, days).await? }))
}
