//! The licence, entitlements, revocations and third-party roots.

mod entity;
mod error;
mod routes;
mod service;
mod state;
mod store;

use std::{ops::Deref, sync::Arc, time::Duration};

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub use error::LicenseError;
pub use service::License;
pub use state::{OfflineLimit, ThirdPartyRoot};

/// How often the floor of time is kept and every decision made anew.
const TICK: Duration = Duration::from_secs(30);

/// Services of this slice: [`License`].
pub struct Services {
    core: Arc<Core>,
    license: License,
}

impl Deref for Services {
    type Target = License;

    fn deref(&self) -> &License {
        &self.license
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let license = License::new(core.clone()).await?;
        Ok(Self { core, license })
    }

    /// Start the clock's tick.
    pub async fn start(&self, _app: &Arc<App>) -> anyhow::Result<()> {
        let (license, stop) = (self.license.clone(), self.core.shutdown.clone());
        self.core.tasks.spawn(async move {
            let mut tick = tokio::time::interval(TICK);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = tick.tick() => {}
                }
                if let Err(error) = license.tick().await {
                    tracing::warn!(%error, "the clock floor was not kept");
                }
            }
        });
        Ok(())
    }
}

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router()
}
