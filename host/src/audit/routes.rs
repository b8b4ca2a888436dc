//! `GET /api/v1/audit`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::header;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Filter, Outcome, entity};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Query},
    problem::Problem,
};

type AuditEntryPage = PageSchema<AuditEntry>;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_audit)).routes(routes!(get_retention, set_retention))
}

/// Routes of this slice that stream.
pub fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(export_audit))
}

/// One change.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Id; newer entries have greater ones.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who, e.g. `user:<uuid>`.
    pub actor: String,
    /// Name of who.
    pub actor_name: String,
    /// What, in the past tense.
    pub action: String,
    /// Kind of thing changed.
    pub entity_kind: String,
    /// Id of thing changed.
    pub entity_id: String,
    /// State before.
    pub before: Option<Value>,
    /// State after.
    pub after: Option<Value>,
    /// Request that caused it.
    pub request_id: String,
    /// Address of the client.
    pub client_ip: Option<String>,
    /// How it ended: `success`, `refused` or `failed`.
    pub outcome: String,
    /// The machine it concerns.
    pub machine_id: Option<Uuid>,
}

impl From<entity::Model> for AuditEntry {
    fn from(m: entity::Model) -> Self {
        Self {
            id: m.id,
            at: m.at,
            actor: m.actor,
            actor_name: m.actor_name,
            action: m.action,
            entity_kind: m.entity_kind,
            entity_id: m.entity_id,
            before: m.before,
            after: m.after,
            request_id: m.request_id,
            client_ip: m.client_ip,
            outcome: m.outcome,
            machine_id: m.machine_id,
        }
    }
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Actor (`user:<uuid>`) or its name.
    actor: Option<String>,
    /// Action, or a prefix that ends in `*`.
    action: Option<String>,
    /// Kind of thing changed.
    entity_kind: Option<String>,
    /// Id of thing changed.
    entity_id: Option<String>,
    /// Request.
    request_id: Option<String>,
    /// The machine it concerns.
    machine: Option<Uuid>,
    /// How it ended.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Text in names, ids, actions or states, whatever the case; at most 200 characters.
    text: Option<String>,
    /// From this instant on.
    since: Option<DateTime<Utc>>,
    /// Before this instant.
    until: Option<DateTime<Utc>>,
}

impl From<AuditQuery> for Filter {
    fn from(query: AuditQuery) -> Self {
        // PostgreSQL's text has no NUL, so nothing in the log contains one.
        let text =
            |t: Option<String>| t.map(|t| t.chars().filter(|c| *c != '\0').take(200).collect::<String>());
        Self {
            actor: text(query.actor),
            action: text(query.action),
            entity_kind: text(query.entity_kind),
            entity_id: text(query.entity_id),
            request_id: text(query.request_id),
            machine: query.machine,
            outcome: query.outcome,
            text: text(query.text).filter(|t| !t.is_empty()),
            since: query.since,
            until: query.until,
        }
    }
}

/// How long entries are kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Retention {
    /// Days, 30 to 36500; 0 for ever.
    days: u32,
}

/// How long entries are kept.
#[utoipa::path(get, path = "/api/v1/audit/retention", tag = "audit",
    extensions(("x-permission" = json!("audit:read"))), responses((status = OK, body = Retention)))]
async fn get_retention(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Retention>, Problem> {
    ctx.require("audit:read")?;
    Ok(Json(Retention { days: app.audit.retention_days(&app.settings).await? }))
}

/// Set how long entries are kept.
#[utoipa::path(put, path = "/api/v1/audit/retention", tag = "audit", request_body = Retention,
    extensions(("x-permission" = json!("settings:manage"))), responses((status = OK, body = Retention)))]
async fn set_retention(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(wanted): Json<Retention>,
) -> Result<Json<Retention>, Problem> {
    app.audit.set_retention_days(&ctx, &app.settings, wanted.days).await?;
    Ok(Json(wanted))
}

/// Changes as CSV, newest first, all that the filters want.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", params(AuditQuery),
    extensions(("x-permission" = json!("audit:read"))),
    responses((status = OK, body = String, content_type = "text/csv")))]
async fn export_audit(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Problem> {
    let lines = app.audit.export(&ctx, query.into()).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"sysmanage-activity.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// List changes, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery, PageQuery),
    extensions(("x-permission" = json!("audit:read"))), responses((status = OK, body = AuditEntryPage)))]
async fn list_audit(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<AuditQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let entries = app.audit.list(&ctx, query.into(), page.after_id()?, page.limit()).await?;
    Ok(Json(entries.map(AuditEntry::from)))
}
