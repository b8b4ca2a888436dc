//! What is covered and used.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use plugin_sdk::{Ctx, Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    engine::ProplusCore,
    entities::{notice, usage},
    model::catalogue::Row,
    service::{Lapse, Overview},
};

type Engine = State<Arc<ProplusCore>>;

/// Licences, days left, machines against the limit.
#[utoipa::path(get, path = "/overview", operation_id = "proplus_core_overview", responses((status = 200, body = Overview)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn get_overview(State(engine): Engine, ctx: Ctx) -> Result<Json<Overview>, Problem> {
    Ok(Json(engine.coverage.overview(&ctx).await?))
}

/// The matrix.
#[derive(Serialize, ToSchema)]
pub struct Matrix {
    /// A row for each product.
    items: Vec<Row>,
}

/// Every product by tier, what is missing, and why.
#[utoipa::path(get, path = "/matrix", operation_id = "proplus_core_matrix", responses((status = 200, body = Matrix)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn get_matrix(State(engine): Engine, ctx: Ctx) -> Result<Json<Matrix>, Problem> {
    Ok(Json(Matrix { items: engine.coverage.matrix(&ctx).await? }))
}

/// The day to ask about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LapseQuery {
    /// RFC 3339; now when absent.
    at: Option<DateTime<Utc>>,
}

/// What stops if nothing is renewed until then.
#[utoipa::path(get, path = "/lapse", operation_id = "proplus_core_lapse", params(LapseQuery), responses((status = 200, body = Lapse)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn get_lapse(
    State(engine): Engine,
    ctx: Ctx,
    Query(q): Query<LapseQuery>,
) -> Result<Json<Lapse>, Problem> {
    Ok(Json(engine.coverage.lapse(&ctx, q.at.unwrap_or_else(Utc::now)).await?))
}

/// How far back.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Days: 1 to 3660, else 90.
    days: Option<i64>,
}

/// Machines of a day.
#[derive(Serialize, ToSchema)]
pub struct UsageDay {
    /// Day, UTC.
    day: String,
    /// Most at once.
    peak: i64,
    /// When last looked.
    last: i64,
    /// Most allowed; absent for no limit.
    limit: Option<i64>,
}

impl From<usage::Model> for UsageDay {
    fn from(m: usage::Model) -> Self {
        Self { day: m.day, peak: m.peak, last: m.last, limit: m.machine_limit }
    }
}

/// Days.
#[derive(Serialize, ToSchema)]
pub struct Usage {
    /// Oldest first.
    items: Vec<UsageDay>,
}

/// Machines a day, against the limit.
#[utoipa::path(get, path = "/usage", operation_id = "proplus_core_usage", params(UsageQuery), responses((status = 200, body = Usage)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn list_usage(
    State(engine): Engine,
    ctx: Ctx,
    Query(q): Query<UsageQuery>,
) -> Result<Json<Usage>, Problem> {
    let days = engine.coverage.usage(&ctx, q.days.unwrap_or(90)).await?;
    Ok(Json(Usage { items: days.into_iter().map(Into::into).collect() }))
}

/// A notice.
#[derive(Serialize, ToSchema)]
pub struct Notice {
    /// Licence.
    license: String,
    /// Days before the end.
    days: i64,
    /// The end.
    expires_at: DateTime<Utc>,
    /// When people were told.
    sent_at: Option<DateTime<Utc>>,
}

impl From<notice::Model> for Notice {
    fn from(m: notice::Model) -> Self {
        Self { license: m.license_id, days: m.days, expires_at: m.expires_at, sent_at: m.sent_at }
    }
}

/// Notices.
#[derive(Serialize, ToSchema)]
pub struct Notices {
    /// Newest first.
    items: Vec<Notice>,
}

/// The notices before the end of licences.
#[utoipa::path(get, path = "/notices", operation_id = "proplus_core_notices", responses((status = 200, body = Notices)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn list_notices(State(engine): Engine, ctx: Ctx) -> Result<Json<Notices>, Problem> {
    let notices = engine.coverage.notices(&ctx).await?;
    Ok(Json(Notices { items: notices.into_iter().map(Into::into).collect() }))
}
