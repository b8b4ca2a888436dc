//! `GET /api/v1/audit`.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Filter, entity};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, Query},
    problem::Problem,
};

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_audit))
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
    /// From this instant on.
    since: Option<DateTime<Utc>>,
    /// Before this instant.
    until: Option<DateTime<Utc>>,
}

/// List changes, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery, PageQuery),
    extensions(("x-permission" = json!("audit:read"))), responses((status = OK, body = Page<AuditEntry>)))]
async fn list_audit(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<AuditQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let filter = Filter {
        actor: query.actor,
        action: query.action,
        entity_kind: query.entity_kind,
        entity_id: query.entity_id,
        request_id: query.request_id,
        since: query.since,
        until: query.until,
    };
    let entries = app.audit.list(&ctx, filter, page.after_id()?, page.limit()).await?;
    Ok(Json(entries.map(AuditEntry::from)))
}
