//! The connection to the host: opened, kept, and opened again, for as long as the agent runs.

mod pump;
mod session;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use agent_protocol::{SUBPROTOCOL, enroll::CONNECT_PATH};
use http::header;
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{client::IntoClientRequest, protocol::WebSocketConfig},
};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    clock::{HostClock, now_ms},
    engines::Engines,
    enrolment::{EnrolError, Enroller, Enrolment},
    http_client::Client,
    hub::Hub,
    identity::{Certificate, Identity, IdentityError},
    inventory_state::InventoryState,
    metrics::recorder::Recorder,
    server::{ServerError, mutual_tls},
    spool::{Spool, SpoolError},
    status::StatusFile,
    storage::DataDir,
    tasks::Tasks,
};

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// Everything a session works with.
pub struct Link {
    /// The data folder.
    pub data: DataDir,
    /// The machine's key.
    pub identity: Identity,
    /// The authority the host's certificate must come from.
    pub authority: CertificateDer<'static>,
    /// What enrolment settled.
    pub enrolment: Enrolment,
    /// The present certificate; none when it was never given or has run out.
    pub certificate: Mutex<Option<Certificate>>,
    /// Meeting point.
    pub hub: Arc<Hub>,
    /// Spool.
    pub spool: Arc<Spool>,
    /// Commands.
    pub tasks: Arc<Tasks>,
    /// Engines.
    pub engines: Arc<Engines>,
    /// Inventory.
    pub inventory: Arc<InventoryState>,
    /// Figures that wait for the host.
    pub recorder: Arc<Recorder>,
    /// The host's clock.
    pub clock: HostClock,
    /// What `status` shows.
    pub status: Arc<StatusFile>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// Longest wait between attempts.
    pub max_backoff: Duration,
    /// Between heartbeats until the host says otherwise.
    pub heartbeat: Duration,
}

/// Why a session did not begin, or ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The host cannot be reached.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// No certificate.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The identity is damaged.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The WebSocket broke or was refused.
    #[error("the connection to the host broke: {0}")]
    Socket(#[source] Box<tokio_tungstenite::tungstenite::Error>),
    /// The host said something this agent does not understand.
    #[error("the host broke the protocol: {0}")]
    Protocol(String),
    /// The host closed the session.
    #[error("the host ended the session: {message} ({code})")]
    Goodbye {
        /// Stable code.
        code: String,
        /// A sentence.
        message: String,
        /// Come back no sooner.
        retry_after: Duration,
    },
    /// The host does not answer.
    #[error("the host does not answer")]
    Silent,
    /// The connection is too slow.
    #[error(transparent)]
    Overflow(#[from] crate::hub::Overflow),
    /// The spool fails.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl From<tokio_tungstenite::tungstenite::Error> for LinkError {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Socket(Box::new(error))
    }
}

impl Link {
    /// Keep a session open until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_secs(1), self.max_backoff);
        while !stop.is_cancelled() {
            let error = tokio::select! {
                ended = self.session(&mut backoff, stop) => match ended {
                    Ok(()) => return,
                    Err(error) => error,
                },
                // While connecting; an open session says goodbye by itself.
                () = self.stopped_while_closed(stop) => return,
            };
            self.hub.close();
            let pause = backoff.next_wait().max(error.retry_after());
            tracing::warn!(%error, retry_ms = pause.as_millis() as u64, "not connected");
            self.status.disconnected(&error.to_string());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn stopped_while_closed(&self, stop: &CancellationToken) {
        stop.cancelled().await;
        // A session that is open ends within this time.
        tokio::time::sleep(Duration::from_secs(15)).await;
    }

    async fn session(&self, backoff: &mut Backoff, stop: &CancellationToken) -> Result<(), LinkError> {
        let certificate = tokio::select! {
            certificate = self.certificate() => certificate?,
            () = stop.cancelled() => return Ok(()),
        };
        let tls = mutual_tls(&self.identity, &certificate, &self.authority)?;
        self.engines.connected(Client::new(
            self.enrolment.server.clone(),
            Arc::clone(&tls),
            self.connect_timeout,
        ));
        let connecting = async {
            let stream = self.enrolment.server.connect(tls, self.connect_timeout).await?;
            tokio::time::timeout(self.connect_timeout, self.open_socket(stream))
                .await
                .map_err(|_| LinkError::Silent)?
        };
        let socket = tokio::select! {
            socket = connecting => socket?,
            () = stop.cancelled() => return Ok(()),
        };
        session::Session::new(self, socket).run(backoff, stop).await
    }

    async fn open_socket(&self, stream: TlsStream<TcpStream>) -> Result<Socket, LinkError> {
        let url = self.enrolment.server.url(CONNECT_PATH).replacen("https", "wss", 1);
        let mut request = url.into_client_request()?;
        request
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, header::HeaderValue::from_static(SUBPROTOCOL));
        let limit = agent_protocol::limits::MAX_PACKET_BYTES;
        let config = WebSocketConfig::default()
            .read_buffer_size(8 << 10)
            .write_buffer_size(0)
            .max_write_buffer_size(4 * limit)
            .max_message_size(Some(2 * limit))
            .max_frame_size(Some(2 * limit));
        let (socket, _answer) = client_async_with_config(request, stream, Some(config)).await?;
        Ok(socket)
    }

    /// The present certificate, asking for one when there is none that is good.
    async fn certificate(&self) -> Result<Certificate, LinkError> {
        let present = self.present_certificate();
        if let Some(certificate) = present.filter(|certificate| certificate.not_after > now_ms()) {
            return Ok(certificate);
        }
        tracing::info!("no valid certificate; asking the host for one");
        self.status.waiting_for_approval();
        let (enroller, enrolment) = Enroller::resume(&self.data)?;
        let standing = enroller.poll(&enrolment).await?;
        let certificate = enroller.wait(&enrolment, standing, None).await?;
        self.replace_certificate(certificate.clone());
        Ok(certificate)
    }

    fn present_certificate(&self) -> Option<Certificate> {
        self.certificate.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace_certificate(&self, certificate: Certificate) {
        *self.certificate.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
    }
}

impl LinkError {
    fn retry_after(&self) -> Duration {
        match self {
            Self::Goodbye { retry_after, .. } => *retry_after,
            // An administrator's no is not asked again in a hurry.
            Self::Enrol(EnrolError::Rejected) => Duration::from_secs(300),
            // A full disk does not empty in a second.
            Self::Spool(_) => Duration::from_secs(10),
            _ => Duration::ZERO,
        }
    }
}
