//! `GET /api/v1/events`: server-sent events.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
}
