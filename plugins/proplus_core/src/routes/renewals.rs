//! Renewal without a network.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use plugin_sdk::{Ctx, Json, Path, Problem};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    engine::ProplusCore,
    service::{RenewalFile, RenewalResponse},
};

type Engine = State<Arc<ProplusCore>>;

/// Requests.
#[derive(Serialize, ToSchema)]
pub struct Renewals {
    /// Newest first.
    items: Vec<RenewalFile>,
}

/// Requests for renewals, with their files.
#[utoipa::path(get, path = "/renewals", operation_id = "proplus_core_renewals", responses((status = 200, body = Renewals)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn list_renewals(State(engine): Engine, ctx: Ctx) -> Result<Json<Renewals>, Problem> {
    Ok(Json(Renewals { items: engine.coverage.renewals(&ctx).await? }))
}

/// Make a request file.
#[utoipa::path(post, path = "/renewals", operation_id = "proplus_core_request_renewal", responses((status = 201, body = RenewalFile)),
    extensions(("x-permission" = json!("proplus_core:license:renew"))))]
pub async fn request_renewal(
    State(engine): Engine,
    ctx: Ctx,
) -> Result<(StatusCode, Json<RenewalFile>), Problem> {
    Ok((StatusCode::CREATED, Json(engine.coverage.request_renewal(&ctx).await?)))
}

/// The token of an answer.
#[derive(Serialize, ToSchema)]
pub struct Renewed {
    /// What goes to `PUT /api/v1/license`.
    license: String,
}

/// Take in the vendor's answer.
#[utoipa::path(post, path = "/renewals/{id}/response", operation_id = "proplus_core_answer_renewal",
    params(("id" = Uuid, Path)), request_body = RenewalResponse, responses((status = 200, body = Renewed)),
    extensions(("x-permission" = json!("proplus_core:license:renew"))))]
pub async fn answer_renewal(
    State(engine): Engine,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(response): Json<RenewalResponse>,
) -> Result<Json<Renewed>, Problem> {
    Ok(Json(Renewed { license: engine.coverage.answer_renewal(&ctx, id, response).await? }))
}
