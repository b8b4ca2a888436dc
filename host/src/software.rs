//! Software and updates across machines: what there is, on how many machines, and where.

mod error;
mod model;
mod routes;
mod service;
mod store;
mod update_routes;

use std::{ops::Deref, sync::Arc};

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub use error::SoftwareError;
pub use model::{Installed, Package, Title, TitleDetails, Update, Version};
pub use service::{Listing, Order, Software};

/// Services of this slice: [`Software`].
pub struct Services {
    software: Software,
}

impl Deref for Services {
    type Target = Software;

    fn deref(&self) -> &Software {
        &self.software
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        Ok(Self { software: Software::new(core) })
    }
}

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router().merge(update_routes::router())
}
