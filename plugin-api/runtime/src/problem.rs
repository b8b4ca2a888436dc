//! problem+json answers of the runtime itself (RFC 9457).

use http::{HeaderValue, Response, StatusCode, header};
use plugin_api::EngineError;

use crate::Body;

/// A problem answer with a stable code.
pub fn problem(status: StatusCode, code: &str, detail: &str, request_id: &str) -> Response<Body> {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
        "request_id": request_id,
    });
    let mut response = Response::new(Body::full(body.to_string()));
    *response.status_mut() = status;
    let problem = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, problem);
    response
}

/// The answer for an error of the runtime.
pub(crate) fn from_error(error: &EngineError, request_id: &str) -> Response<Body> {
    let status = match error.code.as_str() {
        "deadline_exceeded" => StatusCode::GATEWAY_TIMEOUT,
        "engine_crashed" | "engine_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        "bad_request" => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, &error.code, &error.message, request_id)
}

pub(crate) fn deadline_exceeded() -> EngineError {
    EngineError::new("deadline_exceeded", "The engine did not answer before the call's deadline.")
}

pub(crate) fn unavailable() -> EngineError {
    EngineError::new("engine_unavailable", "The engine is shut down or not ready; try again shortly.")
}

pub(crate) fn crashed(report: &str) -> EngineError {
    EngineError::new("engine_crashed", format!("The engine's process ended during the call: {report}."))
}
