//! A client of the host's API: over the admin socket, or HTTPS.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio_util::io::ReaderStream;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nobody answers.
    #[error("{0}", unreachable(target, cause))]
    Unreachable {
        /// Socket or URL.
        target: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The host answered with a problem.
    #[error("{detail} ({code}, {status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stable code, and the reason's code where the problem tells one.
        code: String,
        /// What is wrong.
        detail: String,
    },
}

fn unreachable(target: &str, cause: &std::io::Error) -> String {
    let advice = match cause.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "run this as the service's user or root, or use --server and --token"
        }
        _ => "is the host running (`sysmanage serve`), with this --data-dir or --config?",
    };
    format!("the host cannot be reached at {target}: {cause}; {advice}")
}

/// A client.
pub(crate) enum Client {
    /// Over the admin socket, as `local:root`.
    Socket(PathBuf),
    /// Over HTTPS with a token.
    Https {
        /// Client.
        http: reqwest::Client,
        /// Scheme, name and port.
        base: String,
        /// API token.
        token: String,
    },
}

/// What to send.
pub(crate) enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Value),
    /// Bytes of a media type.
    Raw(Vec<u8>, &'static str),
    /// A file, piece by piece: it may be larger than memory.
    File(std::path::PathBuf),
}

impl Client {
    /// Over the admin socket.
    pub fn socket(path: PathBuf) -> Self {
        Self::Socket(path)
    }

    /// Over HTTPS.
    pub fn https(server: &str, token: Option<String>, ca: Option<&Path>) -> anyhow::Result<Self> {
        crate::pki::install_crypto();
        let token = token.context("--server needs --token, or SYSMANAGE_TOKEN")?;
        let mut builder = reqwest::Client::builder().connect_timeout(std::time::Duration::from_secs(10));
        if let Some(ca) = ca {
            let pem = std::fs::read(ca).with_context(|| format!("cannot read {}", ca.display()))?;
            let certificate =
                reqwest::Certificate::from_pem(&pem).context("--ca is not a PEM certificate")?;
            builder = builder.tls_certs_only([certificate]);
        }
        Ok(Self::Https { http: builder.build()?, base: server.trim_end_matches('/').into(), token })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, Body::None).await
    }

    /// POST JSON.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Body::Json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::DELETE, path, Body::None).await
    }

    /// Call, and read the answer as JSON; `null` for none.
    pub async fn call(&self, method: Method, path: &str, body: Body) -> anyhow::Result<Value> {
        let mut bytes = Vec::new();
        self.download(method, path, body, |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })
        .await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes)
            .or_else(|_| Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned())))
    }

    /// Call, and hand on the answer piece by piece.
    pub async fn download(
        &self,
        method: Method,
        path: &str,
        body: Body,
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (content, media_type) = match body {
            Body::None => (Content::Bytes(Vec::new()), None),
            Body::Json(value) => (Content::Bytes(serde_json::to_vec(&value)?), Some("application/json")),
            Body::Raw(bytes, media_type) => (Content::Bytes(bytes), Some(media_type)),
            Body::File(path) => {
                let file = tokio::fs::File::open(&path).await;
                let file = file.with_context(|| format!("cannot read {}", path.display()))?;
                (Content::File(file), Some("application/octet-stream"))
            }
        };
        match self {
            Self::Socket(socket) => {
                let response = over_socket(socket, method, path, content, media_type).await?;
                let status = response.status();
                let mut body = response.into_body();
                if !status.is_success() {
                    let bytes = body.collect().await?.to_bytes();
                    return Err(refused(status.as_u16(), &bytes).into());
                }
                while let Some(frame) = body.frame().await {
                    if let Ok(data) = frame?.into_data() {
                        take(&data)?;
                    }
                }
            }
            Self::Https { http, base, token } => {
                let body = match content {
                    Content::Bytes(bytes) => reqwest::Body::from(bytes),
                    Content::File(file) => reqwest::Body::wrap_stream(ReaderStream::new(file)),
                };
                let mut request = http.request(method, format!("{base}{path}")).bearer_auth(token).body(body);
                if let Some(media_type) = media_type {
                    request = request.header(header::CONTENT_TYPE, media_type);
                }
                let response = request.send().await.map_err(|error| ClientError::Unreachable {
                    target: base.clone(),
                    cause: std::io::Error::other(format!("{:#}", anyhow::Error::from(error))),
                })?;
                let status = response.status();
                if !status.is_success() {
                    return Err(refused(status.as_u16(), &response.bytes().await?).into());
                }
                let mut chunks = response.bytes_stream();
                while let Some(chunk) = chunks.next().await {
                    take(&chunk?)?;
                }
            }
        }
        Ok(())
    }
}

/// What goes over the wire.
enum Content {
    Bytes(Vec<u8>),
    File(tokio::fs::File),
}

async fn over_socket(
    socket: &Path,
    method: Method,
    path: &str,
    content: Content,
    media_type: Option<&str>,
) -> anyhow::Result<http::Response<hyper::body::Incoming>> {
    let unreachable = |cause| ClientError::Unreachable { target: socket.display().to_string(), cause };
    let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    if let Some(media_type) = media_type {
        request = request.header(header::CONTENT_TYPE, media_type);
    }
    let body = match content {
        Content::Bytes(bytes) => Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync(),
        Content::File(file) => StreamBody::new(ReaderStream::new(file).map_ok(Frame::data)).boxed_unsync(),
    };
    Ok(sender.send_request(request.body(body)?).await?)
}

fn refused(status: u16, body: &[u8]) -> ClientError {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let member = |name: &str, else_: &str| problem[name].as_str().unwrap_or(else_).to_owned();
    ClientError::Refused {
        status,
        code: match problem["reason"].as_str() {
            Some(reason) if problem["code"] != reason => format!("{}: {reason}", member("code", "failed")),
            _ => member("code", "failed"),
        },
        detail: member("detail", "the host refused"),
    }
}

/// A path segment or query value, percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
