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
    accounts::{Accounts, NewSession},
    advisories::Advisories,
    audit::Audit,
    clock::SharedClock,
    config::Config,
    ctx::Ctx,
    db::Db,
    hosts::Hosts,
    licensing::{Keys, Licensing},
    orders::Orders,
    payments::Payments,
    releases::Releases,
    tuf::Tuf,
};

/// What every slice may use.
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
    /// Who changed what.
    pub audit: Audit,
    /// Port of the listener, once it listens.
    pub port: AtomicU16,
    /// Told when what is distributed may have changed.
    pub outdated: tokio::sync::Notify,
    /// Cancelled when the portal stops.
    pub shutdown: CancellationToken,
    /// Background tasks, waited for at the end.
    pub tasks: TaskTracker,
}

impl Core {
    /// A link to `path` of the portal, as customers reach it.
    pub fn link(&self, path: &str) -> String {
        let url = &self.config.http.public_url;
        if !url.is_empty() {
            return format!("{url}{path}");
        }
        let port = self.port.load(Ordering::Relaxed);
        format!("http://{}{path}", std::net::SocketAddr::new(self.config.http.address, port))
    }

    fn is_secure(&self) -> bool {
        !self.config.http.public_url.is_empty()
    }

    /// Name of the session's cookie. Browsers take `__Host-` from TLS only.
    pub fn session_cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-session" } else { "session" }
    }

    /// The cookie of a new session. It goes with links from elsewhere, such as the way back from the payment page, and
    /// never with forms from elsewhere.
    pub fn cookie_of(&self, new: &NewSession) -> String {
        let age = u64::from(self.config.auth.session_hours) * 3600;
        self.cookie(&new.token, age)
    }

    /// What takes the cookie away.
    pub fn no_cookie(&self) -> String {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, age: u64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!("{}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}", self.session_cookie())
    }
}

/// The portal: [`Core`] and the services of the slices.
pub struct App {
    core: Arc<Core>,
    /// People and organisations.
    pub accounts: Accounts,
    /// Orders.
    pub orders: Arc<Orders>,
    /// Payments.
    pub payments: Payments,
    /// Licences.
    pub licensing: Arc<Licensing>,
    /// Advisories and floors.
    pub advisories: Advisories,
    /// Hosts that call.
    pub hosts: Hosts,
    /// Engines.
    pub releases: Arc<Releases>,
    /// Their distribution.
    pub tuf: Tuf,
}

impl Deref for App {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl App {
    /// Build every slice over an open, migrated database. Starts nothing.
    pub fn build(config: Config, clock: SharedClock, db: Db) -> anyhow::Result<Arc<Self>> {
        let keys = Keys::open(&config.licenses, clock.now())?;
        let core = Arc::new(Core {
            data_dir: std::path::absolute(&config.data_dir)?,
            audit: Audit::new(db.clone(), clock.clone()),
            port: AtomicU16::new(config.http.port),
            outdated: tokio::sync::Notify::new(),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config,
            clock,
            db,
        });
        let licensing = Arc::new(Licensing::new(core.clone(), keys));
        let orders = Arc::new(Orders::new(core.clone(), licensing.clone()));
        let releases = Arc::new(Releases::new(core.clone(), licensing.clone()));
        Ok(Arc::new(Self {
            accounts: Accounts::new(core.clone())?,
            payments: Payments::new(core.clone(), orders.clone())?,
            tuf: Tuf::new(core.clone(), licensing.clone(), releases.clone())?,
            releases,
            advisories: Advisories::new(core.clone()),
            hosts: Hosts::new(core.clone(), licensing.clone()),
            licensing,
            orders,
            core,
        }))
    }

    /// Bring up to date what time changes: licences, webhooks that wait, sessions that ended. Every hour, and at the start.
    pub fn start(self: &Arc<Self>) {
        self.distribute();
        let (app, shutdown) = (Arc::downgrade(self), self.shutdown.clone());
        self.tasks.spawn(async move {
            let mut hourly = tokio::time::interval(std::time::Duration::from_secs(3600));
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    _ = hourly.tick() => {}
                }
                let Some(app) = app.upgrade() else { return };
                app.bring_up_to_date().await;
            }
        });
    }

    /// Distribute what is new: when something was published, and in time before what is signed expires.
    fn distribute(self: &Arc<Self>) {
        let (app, shutdown) = (Arc::downgrade(self), self.shutdown.clone());
        self.tasks.spawn(async move {
            loop {
                let Some(app) = app.upgrade() else { return };
                if let Err(error) = app.tuf.bring_up_to_date(&Ctx::job("distribute")).await {
                    tracing::error!(error = %crate::tuf::causes(&error), "what is distributed could not be brought up to date");
                }
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = app.outdated.notified() => {}
                    () = tokio::time::sleep(crate::tuf::ROUND) => {}
                }
            }
        });
    }

    /// One round of that.
    pub async fn bring_up_to_date(&self) {
        let ctx = Ctx::job("refresh");
        if let Err(error) = self.payments.retry_parked(&ctx).await {
            tracing::error!(%error, "webhooks that wait could not be looked at");
        }
        if let Err(error) = self.orders.refresh(&ctx).await {
            tracing::error!(%error, "licences could not be brought up to date");
        }
        for warning in self.licensing.keys().warnings(self.clock.now()) {
            tracing::warn!(warning, "a key needs attention");
        }
        match self.tuf.warning().await {
            Ok(Some(warning)) => tracing::warn!(warning, "distribution needs attention"),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the root of distribution could not be looked at"),
        }
        if let Err(error) = self.accounts.sweep().await {
            tracing::error!(%error, "ended sessions could not be deleted");
        }
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
