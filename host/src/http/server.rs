//! The listener: TCP with TLS, or a UNIX socket; drains on shutdown.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Peer;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// Let the kernel ask quiet peers whether they are there, and break with those that do not answer for 13 seconds: a machine
/// that lost power or its network is noticed without a byte of the application's.
#[cfg(target_os = "linux")]
fn notice_lost_peers(tcp: &TcpStream) -> std::io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, Duration::from_secs(9))?;
    sockopt::set_tcp_keepintvl(tcp, Duration::from_secs(2))?;
    sockopt::set_tcp_keepcnt(tcp, 2)?;
    sockopt::set_tcp_user_timeout(tcp, 13_000)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn notice_lost_peers(_tcp: &TcpStream) -> std::io::Result<()> {
    Ok(())
}

/// How a listener serves.
#[derive(Clone)]
pub struct Serve {
    /// What answers.
    pub router: Router,
    /// TLS, unless plain. The configuration may ask for a client certificate.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// When cancelled: accept no more, finish what is open.
    pub shutdown: CancellationToken,
    /// How long finishing may take.
    pub drain: Duration,
    /// Most connections at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
}

impl Serve {
    /// Serve a TCP listener until shutdown, then drain.
    pub async fn tcp(self, listener: TcpListener) {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(self.max_connections));
        let serve = Arc::new(self);
        loop {
            let slot = tokio::select! {
                () = serve.shutdown.cancelled() => break,
                slot = slots.clone().acquire_owned() => slot,
            };
            let accepted = tokio::select! {
                () = serve.shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(error).await;
                    continue;
                }
            };
            let (serve, watcher) = (serve.clone(), graceful.watcher());
            tokio::spawn(async move {
                let _slot = slot;
                let _ = stream.set_nodelay(true);
                if let Err(error) = notice_lost_peers(&stream) {
                    tracing::debug!(%error, "a connection cannot be watched by the kernel");
                }
                let peer = Peer { address: Some(address), ..Peer::default() };
                serve.connection(stream, peer, watcher).await;
            });
        }
        drop(listener);
        serve.finish(graceful).await;
    }

    /// Serve the admin socket until shutdown. `accept` decides by the peer's user id.
    pub async fn unix(self, listener: UnixListener, accept: fn(u32) -> bool) {
        let graceful = GracefulShutdown::new();
        let serve = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                () = serve.shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    pause_after(error).await;
                    continue;
                }
            };
            let uid = stream.peer_cred().map(|c| c.uid());
            let Some(uid) = uid.ok().filter(|uid| accept(*uid)) else {
                tracing::warn!("a connection to the admin socket by another user was refused");
                continue;
            };
            let (serve, watcher) = (serve.clone(), graceful.watcher());
            tokio::spawn(async move {
                serve.http(stream, Peer { uid: Some(uid), ..Peer::default() }, watcher).await;
            });
        }
        drop(listener);
        serve.finish(graceful).await;
    }

    async fn connection(&self, stream: TcpStream, mut peer: Peer, watcher: Watcher) {
        let Some(tls) = &self.tls else { return self.http(stream, peer, watcher).await };
        let handshake = TlsAcceptor::from(tls.clone()).accept(stream);
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(Ok(stream)) => {
                let chain = stream.get_ref().1.peer_certificates();
                peer.certificate = chain.and_then(|c| c.first()).map(|c| c.clone().into_owned());
                self.http(stream, peer, watcher).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, peer = ?peer.address, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = ?peer.address, "TLS handshake took too long"),
        }
    }

    async fn http<S>(&self, stream: S, peer: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = TowerToHyperService::new(self.router.clone().layer(axum::Extension(peer.clone())));
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(256)
            .keep_alive_interval(Duration::from_secs(30));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, peer = ?peer.address, "connection ended early");
        }
    }

    async fn finish(&self, graceful: GracefulShutdown) {
        if tokio::time::timeout(self.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }
}

/// Out of file descriptors is no reason to spin.
async fn pause_after(error: std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
