//! Errors over HTTP. The API answers RFC 9457 `application/problem+json` with a stable `code`; pages show the sentence.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::ctx::Forbidden;

/// An error of a slice: one enum per slice, a code per variant.
pub trait SliceError: std::error::Error + Send + Sync + 'static {
    /// HTTP status.
    fn status(&self) -> StatusCode;
    /// Stable snake_case code.
    fn code(&self) -> &'static str;
    /// Further members of the problem.
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
}

impl Problem {
    /// A problem with a status, a code and a sentence.
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, code: code.into(), detail: detail.into(), extras: Map::new(), cause: None }
    }

    /// 401.
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in, or send an API token.")
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Nothing has such an address.")
    }

    /// 500; the cause goes to the log, not to the client.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "The portal failed to do this; its log has the cause under this request id.";
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
        problem.cause = Some(cause.to_string());
        problem
    }

    /// The answer of the API.
    pub fn json(&self, request_id: &str) -> Response {
        let mut body = json!({
            "type": format!("urn:sysmanage:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        });
        if let Some(body) = body.as_object_mut() {
            body.extend(self.extras.clone());
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        self.add_headers(&mut response);
        response
    }

    /// Headers that go with the status.
    pub fn add_headers(&self, response: &mut Response) {
        let headers = response.headers_mut();
        if let Some(seconds) = self.extras.get("retry_after_s").and_then(Value::as_u64) {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"portal\""));
        }
    }
}

/// The outermost layer makes it a problem document or a page: see [`crate::http`].
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.json("");
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl<E: SliceError> From<E> for Problem {
    fn from(error: E) -> Self {
        let status = error.status();
        let mut problem = match status {
            StatusCode::INTERNAL_SERVER_ERROR => Self::internal(""),
            _ => Self::new(status, error.code(), error.to_string()),
        };
        problem.extras = error.extras();
        problem.cause = Some(chain(&error));
        problem
    }
}

impl SliceError for Forbidden {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoMember => StatusCode::NOT_FOUND,
            _ => StatusCode::FORBIDDEN,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoMember => "not_found",
            Self::NotAPerson => "not_a_person",
            Self::NotAHost => "not_a_host",
            Self::SecondFactorMissing => "second_factor_required",
            Self::Lacks(_) | Self::NotStaff => "forbidden",
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Lacks(permission) => Map::from_iter([("permission".into(), permission.name().into())]),
            _ => Map::new(),
        }
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
