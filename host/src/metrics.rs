//! Figures of machines over time: taken from agents, packed, thinned out, asked for.

mod block;
mod catalog;
mod entity;
mod error;
mod model;
mod routes;
mod service;
mod store;
mod tier;

use std::{ops::Deref, sync::Arc, time::Duration};

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub use error::MetricsError;
pub use model::{Figure, History, Point, SeriesHistory, Summary, TopMachine};
pub use service::{HistoryQuery, Metrics, TopQuery};

/// How often history that is too old is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Services of this slice: [`Metrics`].
pub struct Services(Metrics);

impl Deref for Services {
    type Target = Metrics;

    fn deref(&self) -> &Metrics {
        &self.0
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        Ok(Self(Metrics::new(core)))
    }

    /// From now on old history is removed.
    pub async fn start(&self, app: &Arc<App>) -> anyhow::Result<()> {
        let (metrics, stop) = (self.0.clone(), app.shutdown.clone());
        app.tasks.spawn(async move {
            loop {
                if let Err(error) = metrics.forget_old().await {
                    tracing::warn!(%error, "old metrics could not be removed, trying again later");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(SWEEP_EVERY) => {}
                }
            }
        });
        Ok(())
    }
}

/// Routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router()
}
