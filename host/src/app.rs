//! The application: what slices share ([`Core`]), and every slice's services ([`App`]).

use std::{ops::Deref, path::PathBuf, sync::Arc};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    audit::Audit, clock::SharedClock, config::Config, db::Db, engines, events::Events, license, machines,
    operations, permissions::Registry, pki::Pki,
};

/// What every slice may use. Cheap to share.
#[derive(Debug)]
pub struct Core {
    /// Configuration.
    pub config: Config,
    /// Data directory, absolute.
    pub data_dir: PathBuf,
    /// The time.
    pub clock: SharedClock,
    /// The database, migrated.
    pub db: Db,
    /// What happened.
    pub events: Events,
    /// Who changed what.
    pub audit: Audit,
    /// Which permissions exist.
    pub permissions: Registry,
    /// The internal CA, and the identity of the listeners.
    pub pki: Pki,
    /// Cancelled when the host stops: background tasks end.
    pub shutdown: CancellationToken,
    /// Background tasks, waited for at the end.
    pub tasks: TaskTracker,
}

/// The host: [`Core`] and the services of the slices. Front doors hold an `Arc` of it.
pub struct App {
    core: Arc<Core>,
    /// Machines, enrolment, inventory.
    pub machines: machines::Services,
    /// Operations and their tasks.
    pub operations: operations::Services,
    /// Engines.
    pub engines: engines::Services,
    /// Licence and revocations.
    pub license: license::Services,
}

impl Deref for App {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl App {
    /// Build every slice over an open, migrated database. Starts nothing.
    pub async fn build(config: Config, clock: SharedClock, db: Db) -> anyhow::Result<Arc<Self>> {
        let data_dir = std::path::absolute(&config.data_dir)?;
        let mut names = config.http.certificate_names.clone();
        names.push(config.public_name());
        let core = Arc::new(Core {
            pki: Pki::open(&data_dir.join("pki"), &names, clock.now())?,
            data_dir,
            events: Events::new(clock.clone()),
            audit: Audit::new(db.clone(), clock.clone()),
            permissions: Registry::default(),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config,
            clock,
            db,
        });
        Ok(Arc::new(Self {
            machines: machines::Services::new(core.clone()).await?,
            operations: operations::Services::new(core.clone()).await?,
            engines: engines::Services::new(core.clone()).await?,
            license: license::Services::new(core.clone()).await?,
            core,
        }))
    }

    /// Start the background work of every slice, in the order in which they need each other.
    pub async fn start(self: &Arc<Self>) -> anyhow::Result<()> {
        self.license.start(self).await?;
        self.machines.start(self).await?;
        self.operations.start(self).await?;
        self.engines.start(self).await?;
        Ok(())
    }

    /// The shared part.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// End background work and wait for it, at most as long as requests may drain.
    pub async fn stop(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        let drain = std::time::Duration::from_secs(self.config.http.drain_timeout_s.max(1));
        if tokio::time::timeout(drain, self.tasks.wait()).await.is_err() {
            tracing::warn!("some background tasks did not end in time");
        }
        self.db.close().await;
    }
}
