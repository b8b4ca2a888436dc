//! A small HTTPS client for enrolment and packages: one request per connection, bodies bounded.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Response, body::Incoming};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use serde::Deserialize;

use crate::server::{Server, ServerError};

/// Largest answer to an API call.
const MAX_ANSWER: usize = 256 << 10;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The connection broke, or what came was not HTTP.
    #[error("the call to the host failed: {0}")]
    Transport(String),
    /// It took too long.
    #[error("the host did not answer in time")]
    Timeout,
    /// The host said no.
    #[error("the host refused: {detail} ({code}, HTTP {status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stable code.
        code: String,
        /// A sentence.
        detail: String,
    },
    /// The answer is not what was expected.
    #[error("the host's answer does not parse: {0}")]
    Answer(String),
}

impl HttpError {
    /// Whether trying again later may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Server(
                ServerError::OtherAuthority { .. } | ServerError::Address(_) | ServerError::Tls(_),
            ) => false,
            Self::Server(_) | Self::Transport(_) | Self::Timeout => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429 || *status == 408,
            Self::Answer(_) => false,
        }
    }
}

/// problem+json, as far as it is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    title: String,
    detail: String,
}

/// Calls to one host.
#[derive(Debug, Clone)]
pub struct Client {
    server: Server,
    tls: Arc<ClientConfig>,
    timeout: Duration,
}

impl Client {
    /// A client whose every step ends within `timeout`.
    pub fn new(server: Server, tls: Arc<ClientConfig>, timeout: Duration) -> Self {
        Self { server, tls, timeout }
    }

    /// POST JSON, get JSON.
    pub async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, HttpError> {
        let body = serde_json::to_vec(body).map_err(|e| HttpError::Answer(e.to_string()))?;
        let request = Request::post(path)
            .header(header::HOST, self.server.authority())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json");
        let call = async {
            let response = self.send(request, body.into()).await?;
            let response = accept(response).await?;
            let bytes = whole(response.into_body()).await?;
            serde_json::from_slice(&bytes).map_err(|e| HttpError::Answer(e.to_string()))
        };
        tokio::time::timeout(self.timeout, call).await.map_err(|_| HttpError::Timeout)?
    }

    /// GET from byte `from` on. The body is the caller's to bound and to time.
    pub async fn get_from(&self, path: &str, from: u64) -> Result<Response<Incoming>, HttpError> {
        let mut request = Request::get(path).header(header::HOST, self.server.authority());
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let call = async { accept(self.send(request, Bytes::new()).await?).await };
        tokio::time::timeout(self.timeout, call).await.map_err(|_| HttpError::Timeout)?
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Response<Incoming>, HttpError> {
        let stream = self.server.connect(Arc::clone(&self.tls), self.timeout).await?;
        let transport = |e: hyper::Error| HttpError::Transport(e.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(transport)?;
        // Ends with the body, or when the response is dropped.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the host ended");
            }
        });
        let request = request.body(Full::new(body)).map_err(|e| HttpError::Answer(e.to_string()))?;
        sender.send_request(request).await.map_err(transport)
    }
}

async fn whole(body: Incoming) -> Result<Bytes, HttpError> {
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|e| HttpError::Transport(e.to_string()))
}

async fn accept(response: Response<Incoming>) -> Result<Response<Incoming>, HttpError> {
    let status = response.status();
    if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(response);
    }
    let bytes = whole(response.into_body()).await.unwrap_or_default();
    let problem: Problem = serde_json::from_slice(&bytes).unwrap_or_default();
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    Err(HttpError::Refused {
        status: status.as_u16(),
        code: or(problem.code, "unexpected_answer"),
        detail: or(
            problem.detail,
            &or(problem.title, status.canonical_reason().unwrap_or("no reason given")),
        ),
    })
}
