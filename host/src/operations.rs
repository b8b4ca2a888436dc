//! Operations: everything done on machines.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

/// Services of this slice.
pub struct Services {
    #[allow(dead_code)]
    core: Arc<Core>,
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        Ok(Self { core })
    }

    /// Start background work. Keep a `Weak<App>` for sibling slices, never an `Arc`.
    pub async fn start(&self, _app: &Arc<App>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
}

/// Routes that stream: no time limit.
pub fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
}
