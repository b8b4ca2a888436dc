//! [`Problem`]: an error answer, RFC 9457 `application/problem+json`.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use plugin_api::EngineError;
use sea_orm::DbErr;
use serde_json::{Map, Value};

/// An error answer with a stable code. The SDK adds the request id.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail} ({code})")]
pub struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    extra: Map<String, Value>,
}

impl Problem {
    /// A problem with an HTTP status, a stable snake_case code and a sentence on what to do next.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code: code.into(), detail: detail.into(), extra: Map::new() }
    }

    /// 404 `not_found`.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(404, "not_found", format!("There is no {what} `{id}`."))
    }

    /// 409 with a code of the slice.
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(409, code, detail)
    }

    /// 422 `invalid_field`: a value that is well formed and yet refused.
    pub fn invalid(field: &str, expected: impl std::fmt::Display) -> Self {
        Self::new(422, "invalid_field", format!("`{field}`: expected {expected}.")).with("field", field)
    }

    /// 500 `internal`: logs the cause, tells the caller nothing of it.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(cause), "request failed");
        Self::new(500, "internal", "The engine failed; the cause is in its log.")
    }

    /// Add a member, e.g. the field or the limit concerned.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.into(), value.into());
        self
    }

    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The JSON body; `request_id` is left out when empty.
    pub fn to_json(&self, request_id: &str) -> Value {
        let mut body = self.extra.clone();
        body.insert("type".into(), "about:blank".into());
        body.insert("title".into(), self.status.canonical_reason().unwrap_or("Error").into());
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("detail".into(), self.detail.clone().into());
        body.insert("code".into(), self.code.clone().into());
        if !request_id.is_empty() {
            body.insert("request_id".into(), request_id.into());
        }
        Value::Object(body)
    }
}

/// An error with its sources, as logged.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json("").to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The adapter writes the body again with the request id.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<EngineError> for Problem {
    fn from(e: EngineError) -> Self {
        let status = match e.code.as_str() {
            "license_required" => 402,
            "permission_denied" | "out_of_scope" => 403,
            "not_found" => 404,
            "conflict" | "already_exists" => 409,
            "too_large" => 413,
            "invalid_selector" | "invalid_field" => 422,
            "limit_reached" => 429,
            "not_granted" | "unavailable" | "engine_unavailable" => 503,
            "timed_out" | "deadline_exceeded" => 504,
            _ => {
                tracing::error!(error = %e, "a host service failed");
                500
            }
        };
        Self::new(status, &e.code, e.message)
    }
}

impl From<DbErr> for Problem {
    fn from(e: DbErr) -> Self {
        match crate::db::error_code(&e) {
            Some("not_granted") => {
                Self::new(503, "not_granted", "An administrator has not granted this engine its tables.")
            }
            Some("sql_deadline") => Self::new(504, "timed_out", "The database did not answer in time."),
            Some("sql_busy") => Self::new(503, "busy", "The database is busy; try again."),
            Some("unique_violation") => Self::new(409, "conflict", "There is such an entry already."),
            Some("sql_value") => Self::new(422, "invalid_value", "A value cannot be stored."),
            _ => Self::internal(&e),
        }
    }
}
