//! The host's HTTP API as a client sees it.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Longest wait for an answer; a stream is read beyond it by its own deadline.
const PATIENCE: Duration = Duration::from_secs(60);

/// rustls wants its crypto chosen once per process.
pub(crate) fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client of one host, with or without a credential.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    /// `https://127.0.0.1:<port>`.
    pub url: String,
    token: Option<String>,
}

/// An answer: status and JSON (or text as a JSON string).
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Body.
    pub body: Value,
}

impl Answer {
    /// The problem's `code`, empty when there is none.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Api {
    /// A client that trusts the host's internal CA (PEM).
    ///
    /// # Errors
    /// When the PEM is not a certificate.
    pub fn new(url: &str, ca_pem: &[u8]) -> Result<Self> {
        provider();
        let authority = reqwest::Certificate::from_pem(ca_pem)?;
        let http = reqwest::Client::builder().tls_certs_only([authority]).timeout(PATIENCE).build()?;
        Ok(Self { http, url: url.to_owned(), token: None })
    }

    /// A client of the admin socket: the local administrator.
    ///
    /// # Errors
    /// When no client can be built.
    pub fn local(socket: &Path) -> Result<Self> {
        provider();
        let http = reqwest::Client::builder().unix_socket(socket).timeout(PATIENCE).build()?;
        Ok(Self { http, url: "http://localhost".into(), token: None })
    }

    /// GET of a path outside `/api/v1`: only its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn probe(&self, path: &str) -> Result<StatusCode> {
        Ok(self.http.get(format!("{}{path}", self.url)).send().await?.status())
    }

    /// The same client with an API token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client without credential.
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// A request to `path` below `/api/v1`, credential included.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Send and read, whatever the status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let response = request.send().await.context("no answer")?;
        let status = response.status();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Answer { status, body })
    }

    /// GET, whatever the status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn try_get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST JSON, whatever the status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn try_post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// GET that must succeed.
    ///
    /// # Errors
    /// On any other status, with the problem.
    pub async fn get(&self, path: &str) -> Result<Value> {
        good(path, self.try_get(path).await?)
    }

    /// POST that must succeed.
    ///
    /// # Errors
    /// On any other status, with the problem.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        good(path, self.try_post(path, body).await?)
    }
}

fn good(path: &str, answer: Answer) -> Result<Value> {
    if !answer.status.is_success() {
        bail!("{path} answered {}: {}", answer.status, answer.body);
    }
    Ok(answer.body)
}
