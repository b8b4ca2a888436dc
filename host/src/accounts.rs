//! Users, roles, sessions, API tokens and the first-run set-up.

mod breached;
pub mod entity;
mod error;
mod explain;
mod flows;
mod identify;
mod invitations;
mod oidc;
mod passwords;
mod profile;
mod roles;
pub mod routes;
mod second_factor;
mod sessions;
mod setup;
mod sign_in;
mod store;
mod tokens;
mod users;
mod views;

use std::sync::Arc;

pub use error::AccountError;
pub use routes::router;
pub use sessions::COOKIE;
pub use views::{Role, Session, Token, User, UserState};

use crate::app::{App, Core};

/// Services of this slice.
pub struct Services {
    core: Arc<Core>,
    hasher: ::passwords::Hasher,
    breached: breached::Breached,
    logins: ::passwords::limits::PerAddress,
    failures: ::passwords::lockout::Failures,
    identities: identify::Cache,
    setup: setup::Link,
    providers: oidc::Providers,
    /// Refusals recorded lately.
    pub(crate) refusals: crate::http::refusals::Recorded,
}

impl Services {
    /// Build over the shared part, and make the built-in roles where they are missing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let services = Self {
            hasher: ::passwords::Hasher::new(core.config.auth.hashes_at_once),
            breached: breached::Breached::open(&core.config.auth.breached_passwords_file)?,
            logins: ::passwords::limits::PerAddress::new(core.config.auth.logins_per_minute),
            failures: ::passwords::lockout::Failures::default(),
            identities: identify::Cache::default(),
            setup: setup::Link::default(),
            providers: oidc::Providers::of(&core.config, &core.clock)?,
            refusals: crate::http::refusals::Recorded::default(),
            core,
        };
        services.make_built_in_roles().await?;
        Ok(services)
    }

    /// Start housekeeping: ended sessions and tokens are deleted hourly.
    pub async fn start(&self, app: &Arc<App>) -> anyhow::Result<()> {
        let app = Arc::downgrade(app);
        let (tasks, shutdown) = (&self.core.tasks, self.core.shutdown.clone());
        tasks.spawn(async move {
            let mut hourly = tokio::time::interval(std::time::Duration::from_secs(3600));
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    _ = hourly.tick() => {}
                }
                let Some(app) = app.upgrade() else { return };
                if let Err(error) = crate::http::idempotency::sweep(&app).await {
                    tracing::warn!(%error, "old idempotency keys could not be deleted");
                }
                if let Err(error) = app.audit.sweep(&app.settings).await {
                    tracing::warn!(%error, "old audit entries could not be deleted");
                }
                if let Err(error) = app.accounts.sweep().await {
                    tracing::warn!(%error, "ended sessions could not be deleted");
                }
            }
        });
        Ok(())
    }
}
