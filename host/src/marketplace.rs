//! The marketplace: what the portal offers, brought in on request or by policy, and what the portal is told.

mod bundle;
mod catalogue;
mod contact;
mod downloads;
mod entity;
mod error;
mod model;
mod offers;
mod policy;
mod portal;
mod receipts;
mod routes;
mod service;
mod source;
mod store;
mod updates;
mod window;

use std::{ops::Deref, sync::Arc};

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub use error::MarketplaceError;
pub use model::{
    Channel, DownloadState, MarketDownload, MarketEngine, MarketEngineDetail, MarketplaceStatus,
};
pub use policy::{MarketplacePolicy, UpdateMode};
pub use service::Marketplace;
pub use source::{Advisory, Asking, Broken, Catalogue, Progress, Release, Requires, Source, SourceError};
pub use window::{Day, Window};

/// Services of this slice: [`Marketplace`].
pub struct Services {
    marketplace: Marketplace,
}

impl Deref for Services {
    type Target = Marketplace;

    fn deref(&self) -> &Marketplace {
        &self.marketplace
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        Ok(Self { marketplace: Marketplace::new(core).await? })
    }

    /// Go on with downloads.
    pub async fn start(&self, app: &Arc<App>) -> anyhow::Result<()> {
        self.marketplace.begin(app).await?;
        Ok(())
    }
}

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router()
}

/// Routes that take long: they ask the portal, or take a bundle.
pub fn streams() -> OpenApiRouter<Arc<App>> {
    routes::streams()
}
