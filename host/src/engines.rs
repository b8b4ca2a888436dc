//! Engines: packages taken in and stored, versions loaded and swapped, calls let through or not, and what engines may
//! ask of the host.

mod agents;
mod dispatch;
mod entity;
mod error;
mod export;
mod files;
mod inspect;
mod install;
mod jobs;
mod lifecycle;
mod live;
mod logs;
mod openapi;
mod outbox;
mod report;
mod routes;
mod service;
mod services;
mod state;
mod store;
mod stored;
mod subscriptions;
mod ui;
mod watch;

use std::{ops::Deref, sync::Arc, time::Duration};

use plugin_api::EngineError;

use crate::app::{App, Core};

pub use error::EngineFault;
pub use inspect::Inspection;
pub use install::{Installed, Listed};
pub use logs::LogLine;
pub use report::{EngineList, EngineReport, EngineSummary};
pub use routes::{router, streams};
pub use service::{Engines, RefusedFile};
pub use state::{Phase, State, state};
pub use stored::Stored;

/// How long the start of the host waits for its engines; slower ones come up later.
const START_WAIT: Duration = Duration::from_secs(60);

/// Services of this slice: [`Engines`].
pub struct Services {
    core: Arc<Core>,
    engines: Engines,
}

impl Deref for Services {
    type Target = Engines;

    fn deref(&self) -> &Engines {
        &self.engines
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let engines = Engines::new(core.clone()).await?;
        Ok(Self { core, engines })
    }

    /// Load every stored engine, all at once, then watch folder, licence, jobs and tasks.
    pub async fn start(&self, app: &Arc<App>) -> anyhow::Result<()> {
        let engines = self.engines.clone();
        let _ = engines.0.app.set(Arc::downgrade(app));
        app.gateway.set_packages(Arc::new(engines.clone()));
        app.machines.set_limit(Arc::new(crate::license::License::clone(&app.license)));
        app.operations.set_listener(engines.0.outbox.clone());
        self.load_all().await;
        engines.0.outbox.start(Arc::downgrade(app));
        self.core.tasks.spawn(engines.jobs().clone().run(Arc::downgrade(app)));
        self.core.tasks.spawn(watch::run(engines.clone()));
        self.follow_license(app);
        Ok(())
    }

    async fn load_all(&self) {
        let mut loading = tokio::task::JoinSet::new();
        for entry in self.engines.entries() {
            let engines = self.engines.clone();
            loading.spawn(async move {
                let _ops = entry.ops.lock().await;
                engines.settle(&entry).await;
            });
        }
        let all = async { while loading.join_next().await.is_some() {} };
        if tokio::time::timeout(START_WAIT, all).await.is_err() {
            tracing::error!("some engines did not come up in time");
            loading.detach_all();
        }
        // Those that waited for another engine.
        for entry in self.engines.entries() {
            if matches!(entry.phase(), Phase::Incompatible(_)) {
                let _ops = entry.ops.lock().await;
                self.engines.settle(&entry).await;
            }
        }
    }

    fn follow_license(&self, app: &Arc<App>) {
        let (engines, stop) = (self.engines.clone(), self.core.shutdown.clone());
        let mut changed = app.license.changed();
        self.core.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    alive = changed.changed() => if alive.is_err() { return },
                }
                engines.settle_all().await;
            }
        });
    }
}

use services::operations::task as told;

/// A failure of the host in a service of engines: the cause goes to the log.
fn services_failed(what: &str, cause: impl std::fmt::Display) -> EngineError {
    tracing::error!(%cause, "the host failed to {what} for an engine");
    EngineError::new("host_failed", format!("The host failed to {what}; its log has the cause."))
}
