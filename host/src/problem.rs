//! Errors over HTTP: RFC 9457 `application/problem+json` with a stable `code`.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::ctx::Forbidden;

/// An error of a slice: one enum per slice, a code per variant.
pub trait SliceError: std::error::Error + Send + Sync + 'static {
    /// HTTP status.
    fn status(&self) -> StatusCode;
    /// Stable snake_case code.
    fn code(&self) -> &'static str;
    /// Further members of the problem, e.g. `unlocks`.
    fn extras(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// A problem to answer with.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable snake_case code.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
    /// Further members.
    pub extras: Map<String, Value>,
    /// For the log only: the causes.
    pub cause: Option<String>,
    /// Seconds for `Retry-After`.
    pub retry_after_s: Option<u64>,
}

/// What a problem looks like on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:sysmanage:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong and what to do.
    pub detail: String,
    /// Stable snake_case code.
    pub code: String,
    /// Identifies the request in the host's log and audit log.
    pub request_id: String,
    /// Further members.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extras: Map<String, Value>,
}

impl Problem {
    /// A problem with a status, a code and a sentence.
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            extras: Map::new(),
            cause: None,
            retry_after_s: None,
        }
    }

    /// 404 for a thing of `kind`.
    pub fn not_found(kind: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {kind}, or you may not see it."),
        )
    }

    /// 401.
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Log in, or send an API token.")
    }

    /// 422 for a field.
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail).with("field", field)
    }

    /// 500; the cause goes to the log, not to the client.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The host failed to do this; its log has the cause under this request id.",
        );
        problem.cause = Some(cause.to_string());
        problem
    }

    /// Add a member.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extras.insert(key.into(), value.into());
        self
    }

    /// Tell when to come back.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Render for a request.
    pub fn body(&self, request_id: &str) -> ProblemBody {
        ProblemBody {
            kind: format!("urn:sysmanage:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.clone(),
            request_id: request_id.into(),
            extras: self.extras.clone(),
        }
    }

    /// The whole answer for a request.
    pub fn response(&self, request_id: &str) -> Response {
        let body = serde_json::to_vec(&self.body(request_id)).expect("a problem is plain data");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sysmanage\""));
        }
        response
    }
}

/// The outermost layer fills in the request id and logs the cause: see [`crate::http`].
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.response("");
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl<E: SliceError> From<E> for Problem {
    fn from(error: E) -> Self {
        let status = error.status();
        let mut problem = if status == StatusCode::INTERNAL_SERVER_ERROR {
            Self::internal("")
        } else {
            Self::new(status, error.code(), error.to_string())
        };
        problem.extras = error.extras();
        problem.cause = Some(chain(&error));
        problem
    }
}

impl SliceError for Forbidden {
    fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }
    fn code(&self) -> &'static str {
        "forbidden"
    }
    fn extras(&self) -> Map<String, Value> {
        Map::from_iter([("permission".into(), self.permission.clone().into())])
    }
}

impl SliceError for sea_orm::DbErr {
    fn status(&self) -> StatusCode {
        match self {
            Self::ConnectionAcquire(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
    fn code(&self) -> &'static str {
        "database_busy"
    }
}

/// An error and its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
