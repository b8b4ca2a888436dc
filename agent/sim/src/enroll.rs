//! Enrolment over HTTPS.

use std::time::Duration;

use agent_protocol::enroll::{ENROLL_PATH, EnrollAnswer, EnrollRequest, POLL_PATH, PollRequest};
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde::Serialize;

use crate::{Identity, Server};

/// The host said no.
#[derive(Debug)]
pub struct EnrollError {
    /// HTTP status.
    pub status: StatusCode,
    /// The problem's code.
    pub code: String,
}

impl std::fmt::Display for EnrollError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the host answered {} {}", self.status, self.code)
    }
}

impl std::error::Error for EnrollError {}

async fn exchange(
    server: &Server,
    identity: Option<&Identity>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Response<Bytes>> {
    let stream = server.open(server.tls(identity)?).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(parts, body))
}

/// POST JSON to the gateway, without a client certificate.
pub async fn post<T: Serialize>(server: &Server, path: &str, body: &T) -> anyhow::Result<Response<Bytes>> {
    let request = Request::post(path)
        .header(header::HOST, &server.name)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(serde_json::to_vec(body)?))?;
    exchange(server, None, request).await
}

/// GET from the gateway, perhaps with a client certificate and a range.
pub async fn get(
    server: &Server,
    identity: Option<&Identity>,
    path: &str,
    range: Option<&str>,
) -> anyhow::Result<Response<Bytes>> {
    let mut request = Request::get(path).header(header::HOST, &server.name);
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    exchange(server, identity, request.body(Full::default())?).await
}

fn answer(response: Response<Bytes>) -> anyhow::Result<EnrollAnswer> {
    if response.status() == StatusCode::OK {
        return serde_json::from_slice(response.body()).context("the answer does not parse");
    }
    let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or("unknown").to_owned();
    Err(EnrollError { status: response.status(), code }.into())
}

/// Enrol; what the host gives is kept in the identity.
pub async fn enroll(server: &Server, identity: &mut Identity, token: &str) -> anyhow::Result<EnrollAnswer> {
    let request = EnrollRequest {
        token: token.into(),
        csr_pem: identity.csr_pem()?,
        agent_version: env!("CARGO_PKG_VERSION").into(),
        facts: identity.facts(),
    };
    let answer = answer(post(server, ENROLL_PATH, &request).await?)?;
    match &answer {
        EnrollAnswer::Pending { handle, .. } => identity.handle.clone_from(handle),
        EnrollAnswer::Approved { handle, chain_pem, .. } => {
            identity.handle.clone_from(handle);
            identity.chain_pem = Some(chain_pem.clone());
        }
        EnrollAnswer::Rejected { .. } => {}
    }
    Ok(answer)
}

/// Ask whether enrolment was approved; a certificate is kept in the identity.
pub async fn poll(server: &Server, identity: &mut Identity) -> anyhow::Result<EnrollAnswer> {
    let Some(handle) = identity.handle.clone() else { bail!("the identity is not enrolled") };
    let proof = identity.proof(&handle)?;
    let answer = answer(post(server, POLL_PATH, &PollRequest { handle, proof }).await?)?;
    if let EnrollAnswer::Approved { chain_pem, .. } = &answer {
        identity.chain_pem = Some(chain_pem.clone());
    }
    Ok(answer)
}

/// Enrol, and wait for an administrator for at most `patience`.
pub async fn enroll_until_approved(
    server: &Server,
    identity: &mut Identity,
    token: &str,
    patience: Duration,
) -> anyhow::Result<()> {
    let until = tokio::time::Instant::now() + patience;
    let mut answer = enroll(server, identity, token).await?;
    loop {
        match answer {
            EnrollAnswer::Approved { .. } => return Ok(()),
            EnrollAnswer::Rejected { .. } => bail!("the machine was rejected"),
            EnrollAnswer::Pending { .. } if tokio::time::Instant::now() >= until => {
                bail!("nobody approved the machine in time")
            }
            EnrollAnswer::Pending { .. } => tokio::time::sleep(Duration::from_secs(1)).await,
        }
        answer = poll(server, identity).await?;
    }
}
