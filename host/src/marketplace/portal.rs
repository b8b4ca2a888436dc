//! The portal over HTTP: with deadlines, no byte more than is asked for, no other computer than the configured one, and the
//! host's proof where the portal asks who calls.

use std::{net::IpAddr, sync::Mutex, time::Duration};

use distribution::{Fetched, Location, Transport, TransportError};
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture};
use http::{Method, StatusCode, header};
use licenses::{HostProof, InstanceKey, SignedRequest};
use reqwest::{Client, Response, Url, redirect::Policy};
use serde_json::Value;

use super::SourceError;
use crate::clock::SharedClock;

const CONNECT: Duration = Duration::from_secs(10);
/// How long the portal may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// Largest problem that is read, in bytes.
const PROBLEM: usize = 64 << 10;

/// The portal.
pub(super) struct Portal {
    base: Url,
    client: Client,
    key: std::sync::Arc<InstanceKey>,
    clock: SharedClock,
}

impl Portal {
    /// The portal at a configured address.
    pub fn new(url: &str, key: std::sync::Arc<InstanceKey>, clock: SharedClock) -> anyhow::Result<Self> {
        let base: Url = url.parse()?;
        let loopback = base
            .host_str()
            .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok())
            .is_some_and(|ip| ip.is_loopback());
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(concat!("sysmanage/", env!("CARGO_PKG_VERSION")));
        if loopback {
            builder = builder.no_proxy();
        }
        Ok(Self { base, client: builder.build()?, key, clock })
    }

    /// The address of a path, each part of which may hold any character.
    fn address<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Result<Url, SourceError> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => path.pop_if_empty().extend(parts),
            Err(()) => return Err(SourceError::new("invalid_url", "marketplace.url has no path.")),
        };
        Ok(url)
    }

    /// The proof that this host, with this licence, sends a request.
    fn proof(&self, license: &str, method: &Method, url: &Url, body: &[u8]) -> String {
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let request =
            SignedRequest { method: method.as_str(), target: &target, body: SignedRequest::digest(body) };
        HostProof::sign(&self.key, license, &request, self.clock.now())
    }

    /// Tell the portal something as this host; its answer, at most `limit` bytes.
    pub async fn post(
        &self,
        parts: &[&str],
        license: &str,
        body: Vec<u8>,
        limit: usize,
    ) -> Result<Vec<u8>, Refused> {
        let url = self.address(parts.iter().copied())?;
        let proof = self.proof(license, &Method::POST, &url, &body);
        let request = self
            .client
            .post(url)
            .header(header::AUTHORIZATION, proof)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        let answer = request.send().await.map_err(|e| unreachable(&e))?;
        if !answer.status().is_success() {
            return Err(refusal(answer).await);
        }
        Ok(read(answer, limit).await?)
    }
}

/// What the portal does not do, with the whole of its answer.
pub(super) struct Refused {
    pub error: SourceError,
    pub problem: Value,
}

impl From<SourceError> for Refused {
    fn from(error: SourceError) -> Self {
        Self { error, problem: Value::Null }
    }
}

/// A repository at the portal, read by one who shows a licence, or by anybody.
pub(super) struct Reader<'a> {
    pub portal: &'a Portal,
    pub license: Option<&'a str>,
    /// What the portal refused last, with more than the client of the repository keeps of it.
    pub refused: Mutex<Option<SourceError>>,
}

impl<'a> Reader<'a> {
    /// A reader.
    pub fn new(portal: &'a Portal, license: Option<&'a str>) -> Self {
        Self { portal, license, refused: Mutex::default() }
    }

    fn refuse(&self, error: SourceError) -> TransportError {
        let (code, detail) = (error.code.clone(), error.detail.clone());
        let passing = error.passing;
        *self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
        match passing {
            true => TransportError::Failed(detail.into()),
            false => TransportError::Refused { code, detail },
        }
    }

    async fn get(&self, location: Location<'_>, from: u64) -> Result<Fetched, TransportError> {
        let (folder, name) = match location {
            Location::Metadata(name) => ("metadata", name),
            Location::Target(name) => ("targets", name),
        };
        let parts = ["tuf", folder].into_iter().chain(name.split('/'));
        let url = self.portal.address(parts).map_err(|e| self.refuse(e))?;
        let mut request = self.portal.client.get(url.clone());
        if let (Location::Target(_), Some(license)) = (location, self.license) {
            let proof = self.portal.proof(license, &Method::GET, &url, &[]);
            request = request.header(header::AUTHORIZATION, proof);
        }
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let answer = request.send().await.map_err(|e| self.refuse(unreachable(&e)))?;
        let from = match answer.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => begins_at(&answer).unwrap_or(from),
            StatusCode::NOT_FOUND => return Err(TransportError::NotFound),
            _ => return Err(self.refuse(refusal(answer).await.error)),
        };
        let body = answer.bytes_stream().map_err(|e| TransportError::Failed(unreachable(&e).into()));
        Ok(Fetched { from, body: body.boxed() })
    }
}

impl Transport for Reader<'_> {
    fn fetch<'a>(
        &'a self,
        location: Location<'a>,
        from: u64,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>> {
        Box::pin(self.get(location, from))
    }
}

/// Where the answered part begins: `bytes 7-99/100`.
fn begins_at(answer: &Response) -> Option<u64> {
    let range = answer.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

async fn read(answer: Response, limit: usize) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| unreachable(&e))?;
        if bytes.len() + piece.len() > limit {
            let why = format!("The portal's answer has more than {limit} bytes; it was not read to its end.");
            return Err(SourceError::new("endless_data", why));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// What the portal says when it does not do what it is asked.
async fn refusal(answer: Response) -> Refused {
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(header::LOCATION).and_then(|l| l.to_str().ok()).unwrap_or("elsewhere");
        let why = format!(
            "The portal sends this host to {}, where it does not go. Set marketplace.url to the right address.",
            printable(to)
        );
        return SourceError::new("redirected", why).into();
    }
    let problem: Value = match read(answer, PROBLEM).await {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    let text = |name: &str| problem[name].as_str().map(printable);
    let code = text("code").filter(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    let error = SourceError {
        code: code.unwrap_or_else(|| "portal_refused".into()),
        reason: text("reason"),
        detail: text("detail").unwrap_or_else(|| format!("The portal answers {status}.")),
        passing: status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT),
    };
    Refused { error, problem }
}

/// Text of the portal as it may be shown: bounded, and without what steers a terminal.
fn printable(text: &str) -> String {
    text.chars().take(500).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn unreachable(error: &reqwest::Error) -> SourceError {
    let mut causes = vec![printable(&error.to_string())];
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        causes.push(printable(&inner.to_string()));
        cause = inner.source();
    }
    let why = causes.join(": ");
    SourceError::passing("unreachable", format!("The portal cannot be reached: {why}."))
}
