//! Saved searches: selectors with a name, for oneself or for everybody, to be used in lists, rules and other searches.

mod entity;
mod error;
mod routes;
mod service;
mod store;

use std::{ops::Deref, sync::Arc, time::Duration};

use sea_orm::DbBackend;
use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub use error::SearchError;
pub use service::{NewSearch, Search, SearchChange, Searches};

/// How often searches that another host on the same database changed are looked for.
const REFRESH_EVERY: Duration = Duration::from_secs(10);

/// Services of this slice: [`Searches`].
pub struct Services {
    core: Arc<Core>,
    searches: Searches,
}

impl Deref for Services {
    type Target = Searches;

    fn deref(&self) -> &Searches {
        &self.searches
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        Ok(Self { searches: Searches::new(core.clone()), core })
    }

    /// Tell selectors of the saved searches, now and, where several hosts share a database, again and again.
    pub async fn start(&self, _app: &Arc<App>) -> anyhow::Result<()> {
        self.searches.refresh().await?;
        if self.core.db.backend() == DbBackend::Postgres {
            let (searches, stop) = (self.searches.clone(), self.core.shutdown.clone());
            self.core.tasks.spawn(async move {
                while tokio::time::timeout(REFRESH_EVERY, stop.cancelled()).await.is_err() {
                    if let Err(error) = searches.refresh().await {
                        tracing::warn!(%error, "saved searches could not be read again");
                    }
                }
            });
        }
        Ok(())
    }
}

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router()
}
