//! `/api/v1/notifications`.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::Notification;
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Query},
    problem::Problem,
};

type NotificationPage = PageSchema<Notification>;

const MAX_IDS: usize = 1000;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_notifications)).routes(routes!(mark_notifications_read))
}

/// Which notifications.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MarkRead {
    /// Ids, up to 1000.
    ids: Vec<Uuid>,
}

/// How many.
#[derive(Serialize, ToSchema)]
struct Marked {
    /// Notifications that are now marked.
    marked: u64,
}

/// List notifications, newest first.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", params(PageQuery),
    extensions(("x-permission" = json!("notifications:read"))), responses((status = OK, body = NotificationPage)))]
async fn list_notifications(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Notification>>, Problem> {
    Ok(Json(app.notifications.list(&ctx, page.after_id()?, page.limit()).await?))
}

/// Mark notifications as read.
#[utoipa::path(post, path = "/api/v1/notifications/-/read", tag = "notifications", request_body = MarkRead,
    extensions(("x-permission" = json!("notifications:read"))), responses((status = OK, body = Marked)))]
async fn mark_notifications_read(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(mark): Json<MarkRead>,
) -> Result<Json<Marked>, Problem> {
    if mark.ids.len() > MAX_IDS {
        return Err(Problem::invalid("ids", "At most 1000 at once."));
    }
    Ok(Json(Marked { marked: app.notifications.mark_read(&ctx, &mark.ids).await? }))
}
