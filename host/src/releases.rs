//! Releases of the agent: uploaded signed, given to machines, rolled out batch by batch; and the script that installs it.

mod entity;
mod error;
mod files;
mod install;
mod model;
mod rollouts;
mod routes;
mod service;
mod store;

use std::{ops::Deref, sync::Arc};

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub use error::ReleaseFault;
pub(crate) use install::line as install_line;
pub use model::{NewRollout, Release, Rollout, RolloutState};
pub use service::Releases;

/// Services of this slice: [`Releases`].
pub struct Services {
    releases: Releases,
}

impl Deref for Services {
    type Target = Releases;

    fn deref(&self) -> &Releases {
        &self.releases
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        Ok(Self { releases: Releases::new(core)? })
    }

    /// Go on with rollouts.
    pub async fn start(&self, app: &Arc<App>) -> anyhow::Result<()> {
        let (releases, app_weak) = (self.releases.clone(), Arc::downgrade(app));
        app.core().tasks.spawn(async move { rollouts::run(releases, app_weak).await });
        Ok(())
    }
}

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router().merge(install::router())
}

/// Routes that take long: uploads, and the program for the install script.
pub fn streams() -> OpenApiRouter<Arc<App>> {
    routes::streams().merge(install::streams())
}
