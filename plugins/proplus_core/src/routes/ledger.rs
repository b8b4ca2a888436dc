//! The ledger.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use plugin_sdk::{Ctx, Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    engine::ProplusCore,
    model::chain::{Checked, Entry, MAX_EXPORT},
};

type Engine = State<Arc<ProplusCore>>;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LedgerQuery {
    /// Entries before this place.
    before: Option<i64>,
    /// At most so many: 1 to 500, else 50.
    limit: Option<u64>,
}

/// A page of the ledger.
#[derive(Serialize, ToSchema)]
pub struct LedgerPage {
    /// Newest first.
    items: Vec<Entry>,
    /// `before` of the next page.
    next: Option<i64>,
}

/// Entries of the ledger, newest first.
#[utoipa::path(get, path = "/ledger", operation_id = "proplus_core_ledger", params(LedgerQuery), responses((status = 200, body = LedgerPage)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn list_ledger(
    State(engine): Engine,
    ctx: Ctx,
    Query(q): Query<LedgerQuery>,
) -> Result<Json<LedgerPage>, Problem> {
    let items = engine.coverage.entries(&ctx, q.before, q.limit.unwrap_or(50)).await?;
    let next = items.last().map(|e| e.seq).filter(|seq| *seq > 1);
    Ok(Json(LedgerPage { items, next }))
}

/// The whole ledger as JSON lines, sealed by the host's key.
#[utoipa::path(get, path = "/ledger/export", operation_id = "proplus_core_export_ledger",
    responses((status = 200, content_type = "application/x-ndjson", body = String)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn export_ledger(State(engine): Engine, ctx: Ctx) -> Result<Response, Problem> {
    let text = engine.coverage.export(&ctx).await?;
    let head = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage-ledger.jsonl\""),
    ];
    Ok((head, text).into_response())
}

/// Whether the stored ledger is whole.
#[utoipa::path(get, path = "/ledger/verify", operation_id = "proplus_core_verify_ledger", responses((status = 200, body = Checked)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn verify_ledger(State(engine): Engine, ctx: Ctx) -> Result<Json<Checked>, Problem> {
    Ok(Json(engine.coverage.verify(&ctx).await?))
}

/// Whether an export is whole. The body is the file.
#[utoipa::path(post, path = "/ledger/verify", operation_id = "proplus_core_verify_export",
    request_body(content = String, content_type = "application/x-ndjson"), responses((status = 200, body = Checked)),
    extensions(("x-permission" = json!("proplus_core:license:read"))))]
pub async fn verify_ledger_export(
    State(engine): Engine,
    ctx: Ctx,
    body: Bytes,
) -> Result<Json<Checked>, Problem> {
    if body.len() > MAX_EXPORT {
        return Err(Problem::new(413, "body_too_large", "A ledger of at most 32 MiB is checked."));
    }
    let text = std::str::from_utf8(&body).map_err(|_| Problem::invalid("body", "JSON lines in UTF-8"))?;
    Ok(Json(engine.coverage.verify_export(&ctx, text)?))
}
