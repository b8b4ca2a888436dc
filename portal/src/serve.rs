//! Starting and stopping the portal: database, slices, listener.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{app::App, clock::SharedClock, config::Config, ctx::Ctx, db::Db, http::router};

/// A portal that runs.
pub struct Portal {
    /// The application.
    pub app: Arc<App>,
    /// Where it listens.
    pub http: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
}

/// The application over its database, brought up to date; for the command line too.
pub async fn open(config: Config, clock: SharedClock) -> anyhow::Result<Arc<App>> {
    config.check()?;
    install_crypto();
    let data_dir = std::path::absolute(&config.data_dir)?;
    private_folder(&data_dir).with_context(|| format!("cannot make {}", data_dir.display()))?;
    let db = Db::connect(&config.database, &data_dir).await?;
    db.migrate().await.context("the database could not be brought up to date")?;
    App::build(config, clock, db)
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// TLS to Stripe uses ring. Whoever was first with it has done the same.
fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Portal {
    /// Start everything. On an empty data directory this makes the database.
    pub async fn start(config: Config, clock: SharedClock) -> anyhow::Result<Self> {
        let app = open(config, clock).await?;
        let (address, port) = (app.config.http.address, app.config.http.port);
        let listener = TcpListener::bind((address, port)).await.with_context(|| {
            format!("cannot listen on {address} port {port}: stop what listens there, or set http.port")
        })?;
        let http = listener.local_addr()?;
        app.port.store(http.port(), Ordering::Relaxed);
        app.start();
        let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
        let ended = app.shutdown.clone().cancelled_owned();
        let server = axum::serve(listener, service).with_graceful_shutdown(ended);
        Ok(Self { app, http, server: tokio::spawn(server.into_future()) })
    }

    /// Stop: accept no more, finish what is open within `http.drain_timeout_s`.
    pub async fn stop(mut self) {
        self.app.shutdown.cancel();
        let drain = Duration::from_secs(self.app.config.http.drain_timeout_s);
        if tokio::time::timeout(drain, &mut self.server).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
            self.server.abort();
        }
        self.app.stop().await;
    }
}

/// SIGHUP: the keys of the configuration file are read again.
async fn reload(app: &App) {
    match app.licensing.reload_keys(&Ctx::operator()).await {
        Ok(keys) => tracing::info!(keys = keys.len(), "the keys were read again"),
        Err(error) => tracing::error!(%error, "the keys in use stay"),
    }
    if let Err(error) = app.tuf.reload_keys(&Ctx::operator()).await {
        tracing::error!(error = %crate::tuf::causes(&error), "the keys of distribution in use stay");
    }
}

/// Serve until SIGTERM or SIGINT.
pub async fn run(config: Config, clock: SharedClock) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut again = signal(SignalKind::hangup())?;
    let mut portal = Portal::start(config, clock).await?;
    tracing::info!(http = %portal.http, url = portal.app.link("/"), "the portal serves");
    loop {
        tokio::select! {
            _ = again.recv() => reload(&portal.app).await,
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
            ended = &mut portal.server => {
                ended.context("the listener ended")?.context("the listener failed")?;
                break;
            }
        }
    }
    tracing::info!("the portal stops");
    portal.app.shutdown.cancel();
    portal.stop().await;
    Ok(())
}
