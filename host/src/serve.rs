//! Starting and stopping the host: database, slices, listeners.

mod listen;
mod lock;
mod tls;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context;
use tokio::task::JoinSet;

pub use lock::DataLock;

use crate::{
    app::App,
    clock::SharedClock,
    config::Config,
    ctx::Ctx,
    db::Db,
    http::{health, router, server::Serve},
    keys::private_folder,
    pki,
};

/// Connections to the API at once.
const MAX_CONNECTIONS: usize = 10_000;
/// The admin socket's name in the data directory.
pub const ADMIN_SOCKET: &str = "admin.sock";

/// A host that runs.
pub struct Host {
    /// The application.
    pub app: Arc<App>,
    /// Where the API listens.
    pub http: SocketAddr,
    /// Where agents connect.
    pub agents: SocketAddr,
    /// The admin socket.
    pub admin: PathBuf,
    /// Where to set the host up, when nobody has.
    pub setup_link: Option<String>,
    listeners: JoinSet<()>,
    _lock: DataLock,
}

impl Host {
    /// Start everything. On an empty data directory this makes database, keys, authority and a set-up link.
    pub async fn start(config: Config, clock: SharedClock) -> anyhow::Result<Self> {
        pki::install_crypto();
        health::install_recorder();
        let data_dir = std::path::absolute(&config.data_dir)?;
        private_folder(&data_dir)?;
        let lock = DataLock::take(&data_dir)?;
        let db = Db::connect(&config.database, &data_dir).await?;
        db.migrate().await.context("the database could not be brought up to date")?;
        let app = App::build(config, clock, db).await?;
        let http = listen::tcp("http", app.config.http.address, app.config.http.port).await?;
        let agents = listen::tcp("agents", app.config.agents.address, app.config.agents.port).await?;
        let admin = data_dir.join(ADMIN_SOCKET);
        let socket = listen::admin(&admin)?;
        let (http_at, agents_at) = (http.local_addr()?, agents.local_addr()?);
        app.port.store(http_at.port(), Ordering::Relaxed);
        app.start().await?;
        let tls = if app.config.http.plain { None } else { Some(tls::api(&app)?) };
        let drain = Duration::from_secs(app.config.http.drain_timeout_s);
        let (router, shutdown) = (router::router(&app), app.shutdown.clone());
        let api = Serve { router, tls, shutdown, drain, max_connections: MAX_CONNECTIONS };
        let mut listeners = JoinSet::new();
        listeners.spawn(Serve { tls: None, ..api.clone() }.unix(socket, listen::is_operator));
        listeners.spawn(api.tcp(http));
        let gateway = app.clone();
        listeners.spawn(async move {
            if let Err(error) = gateway.gateway.serve(&gateway, agents).await {
                tracing::error!(%error, "the agent gateway does not serve");
            }
        });
        let setup_link = setup_link(&app).await?;
        Ok(Self { app, http: http_at, agents: agents_at, admin, setup_link, listeners, _lock: lock })
    }

    /// Stop: accept no more, finish what is open within `http.drain_timeout_s`, end background work.
    pub async fn stop(mut self) {
        self.app.shutdown.cancel();
        let drain = Duration::from_secs(self.app.config.http.drain_timeout_s + 2);
        let ended = async { while self.listeners.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, ended).await.is_err() {
            tracing::warn!("a listener did not end in time");
        }
        self.app.stop().await;
        remove_socket(&self.admin);
    }
}

async fn setup_link(app: &Arc<App>) -> anyhow::Result<Option<String>> {
    let token = app.accounts.new_setup_token(&Ctx::system("start")).await?;
    Ok(token.map(|token| app.link(&format!("/setup#{token}"))))
}

fn remove_socket(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "the admin socket was gone");
    }
}

/// Serve until SIGTERM or SIGINT.
pub async fn run(config: Config, clock: SharedClock, tell: impl FnOnce(&Host)) -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let host = Host::start(config, clock).await?;
    tracing::info!(http = %host.http, agents = %host.agents, "the host serves");
    tell(&host);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("the host stops");
    host.stop().await;
    tracing::info!("the host has stopped");
    Ok(())
}
