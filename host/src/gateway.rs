//! The agent gateway: a listener of its own with mutual TLS, where agents enrol, connect and fetch engines.

mod connection;
mod download;
mod packages;
mod routes;
mod sessions;

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use agent_protocol::Frame;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::{
    app::{App, Core},
    http::server::Serve,
    pki,
};

pub use packages::{EnginePackages, PackageFile};
pub use sessions::{SendError, Session, Sessions};

/// Handshakes and requests at once; sessions that are open do not count.
const MAX_CONNECTIONS: usize = 20_000;

/// Services of this slice.
pub struct Services {
    core: Arc<Core>,
    packages: RwLock<Option<Arc<dyn EnginePackages>>>,
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        Ok(Self { core, packages: RwLock::new(None) })
    }

    /// Take engines for machines from `packages` from now on.
    pub fn set_packages(&self, packages: Arc<dyn EnginePackages>) {
        *self.packages.write().unwrap_or_else(|e| e.into_inner()) = Some(packages);
    }

    pub(crate) fn packages(&self) -> Option<Arc<dyn EnginePackages>> {
        self.packages.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Tell a connected machine which engines it should run now. Call it when assignments or licences change.
    pub async fn reassign(&self, machine: Uuid, target: &str) {
        let Some(packages) = self.packages() else { return };
        let assigned = packages.assigned(machine, target).await;
        // A machine that is not connected is told when it comes.
        let _ = self.core.sessions.send(machine, &Frame::EngineAssign(assigned));
    }

    /// Tell every connected machine.
    pub async fn reassign_all(&self, app: &App) {
        for session in self.core.sessions.all() {
            if let Ok(target) = app.machines.target(session.machine).await {
                self.reassign(session.machine, &target).await;
            }
        }
    }

    /// Serve agents on `listener` until the host stops; then say goodbye to all of them.
    pub async fn serve(&self, app: &Arc<App>, listener: TcpListener) -> anyhow::Result<()> {
        let serve = Serve {
            router: routes::router(app),
            tls: Some(pki::gateway_tls(&self.core.pki)?),
            shutdown: self.core.shutdown.clone(),
            drain: Duration::from_secs(self.core.config.http.drain_timeout_s),
            max_connections: MAX_CONNECTIONS,
        };
        let farewell = async {
            self.core.shutdown.cancelled().await;
            self.core
                .sessions
                .disconnect_all("host_stopping", "The host is stopping; come back in a moment.");
        };
        tokio::join!(serve.tcp(listener), farewell);
        Ok(())
    }
}
