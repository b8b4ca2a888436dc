//! The application: what slices share ([`Core`]), and every slice's services ([`App`]).

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts,
    audit::Audit,
    clock::SharedClock,
    config::Config,
    db::Db,
    engines,
    events::Events,
    gateway::{self, Sessions},
    keys::{Keys, private_folder},
    license, machines, marketplace, metrics,
    notifications::Notifications,
    operations,
    permissions::Registry,
    pki::Pki,
    releases, searches,
    secrets::Secrets,
    selector::Selectors,
    settings::Settings,
    software,
};

/// What every slice may use. Cheap to share.
#[derive(Debug)]
pub struct Core {
    /// Configuration.
    pub config: Config,
    /// Data directory, absolute.
    pub data_dir: PathBuf,
    /// Selectors of machines.
    pub selectors: Selectors,
    /// The time.
    pub clock: SharedClock,
    /// The database, migrated.
    pub db: Db,
    /// What happened.
    pub events: Events,
    /// Who changed what.
    pub audit: Audit,
    /// The instance's keys.
    pub keys: Keys,
    /// Secrets by name.
    pub secrets: Secrets,
    /// Settings by owner and key.
    pub settings: Settings,
    /// Notifications to people.
    pub notifications: Notifications,
    /// Which permissions exist.
    pub permissions: Registry,
    /// The internal CA, and the identity of the listeners.
    pub pki: Pki,
    /// Agents that are connected.
    pub sessions: Sessions,
    /// Port of the API, once it listens.
    pub port: AtomicU16,
    /// Cancelled when the host stops: background tasks end.
    pub shutdown: CancellationToken,
    /// Background tasks, waited for at the end.
    pub tasks: TaskTracker,
}

/// The host: [`Core`] and the services of the slices. Front doors hold an `Arc` of it.
pub struct App {
    core: Arc<Core>,
    /// Users, roles, sessions, tokens.
    pub accounts: accounts::Services,
    /// Machines, enrolment, inventory.
    pub machines: machines::Services,
    /// Saved searches.
    pub searches: searches::Services,
    /// Figures of machines over time.
    pub metrics: metrics::Services,
    /// Software and updates across machines.
    pub software: software::Services,
    /// Operations and their tasks.
    pub operations: operations::Services,
    /// Sessions of agents.
    pub gateway: gateway::Services,
    /// Engines.
    pub engines: engines::Services,
    /// Licence and revocations.
    pub license: license::Services,
    /// Releases of the agent.
    pub releases: releases::Services,
    /// The portal's engines.
    pub marketplace: marketplace::Services,
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
        private_folder(&data_dir)?;
        let keys = Keys::open(&data_dir)?;
        let events = Events::new(clock.clone());
        let selectors = Selectors::new(db.clone(), clock.clone());
        let audit = Audit::new(db.clone(), clock.clone(), selectors.clone());
        let permissions = Registry::default();
        let core = Arc::new(Core {
            pki: Pki::open(&data_dir.join("pki"), &names, clock.now())?,
            secrets: Secrets::new(db.clone(), keys.clone(), clock.clone(), audit.clone()),
            settings: Settings::new(db.clone(), clock.clone(), audit.clone()),
            notifications: Notifications::new(db.clone(), clock.clone(), events.clone(), permissions.clone()),
            selectors,
            sessions: Sessions::default(),
            port: AtomicU16::new(config.http.port),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            data_dir,
            events,
            audit,
            permissions,
            keys,
            config,
            clock,
            db,
        });
        Ok(Arc::new(Self {
            accounts: accounts::Services::new(core.clone()).await?,
            machines: machines::Services::new(core.clone()).await?,
            searches: searches::Services::new(core.clone()).await?,
            metrics: metrics::Services::new(core.clone()).await?,
            software: software::Services::new(core.clone()).await?,
            operations: operations::Services::new(core.clone()).await?,
            gateway: gateway::Services::new(core.clone()).await?,
            engines: engines::Services::new(core.clone()).await?,
            license: license::Services::new(core.clone()).await?,
            releases: releases::Services::new(core.clone()).await?,
            marketplace: marketplace::Services::new(core.clone()).await?,
            core,
        }))
    }

    /// Start the background work of every slice, in the order in which they need each other.
    pub async fn start(self: &Arc<Self>) -> anyhow::Result<()> {
        self.accounts.start(self).await?;
        self.license.start(self).await?;
        self.searches.start(self).await?;
        self.machines.start(self).await?;
        self.metrics.start(self).await?;
        self.operations.start(self).await?;
        self.engines.start(self).await?;
        self.releases.start(self).await?;
        self.marketplace.start(self).await?;
        Ok(())
    }

    /// A link to `path` of the console.
    pub fn link(&self, path: &str) -> String {
        let http = &self.config.http;
        let scheme = if http.plain { "http" } else { "https" };
        format!("{scheme}://{}:{}{path}", self.config.public_name(), self.port.load(Ordering::Relaxed))
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
