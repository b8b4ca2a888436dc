//! The outermost layers: request id, access log, problems for every failure, panics included.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tracing::Instrument;
use uuid::Uuid;

use super::Peer;
use crate::problem::Problem;

/// Header that carries the request id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Give the request an id, log it, and make every failure a problem.
pub async fn tell(mut request: Request, next: Next) -> Response {
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    name_host(&mut request);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|m| m.as_str().to_owned());
    let client = request.extensions().get::<Peer>().and_then(|p| p.address).map(|a| a.ip());
    let started = Instant::now();
    let span = tracing::info_span!("request", request_id = %id);
    let response = next.run(request).instrument(span.clone()).await;
    // What engines answer is theirs; their routes end in a wildcard.
    let ours = route.as_deref().is_none_or(|r| !r.contains("{*"));
    let mut response = finish(response, &id, ours);
    let (status, took) = (response.status(), started.elapsed());
    let route = route.unwrap_or_else(|| "none".into());
    span.in_scope(|| {
        tracing::info!(
            target: "sysmanage::access", %method, path, status = status.as_u16(),
            duration_ms = took.as_secs_f64() * 1000.0, client_ip = client.map(tracing::field::display), "request"
        );
    });
    let labels = [("method", method.to_string()), ("route", route), ("status", status.as_u16().to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(took.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// HTTP/2 names the host in the request line; layers and handlers look for it in the header, as HTTP/1 has it.
fn name_host(request: &mut Request) {
    let Some(authority) = request.uri().authority() else { return };
    if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
}

/// The client's id when it is harmless, else a new one.
fn request_id(request: &Request) -> String {
    let given = request.headers().get(&REQUEST_ID).and_then(|v| v.to_str().ok());
    match given {
        Some(id)
            if (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') =>
        {
            id.to_owned()
        }
        _ => Uuid::now_v7().to_string(),
    }
}

/// Put the request id into problems, log causes once, and turn bare failures into problems.
fn finish(mut response: Response, id: &str, ours: bool) -> Response {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        if status.is_server_error() {
            let cause = problem.cause.as_deref().unwrap_or(&problem.detail);
            tracing::error!(code = %problem.code, request_id = id, cause, "request failed");
        } else {
            tracing::debug!(code = %problem.code, request_id = id, detail = %problem.detail, "request refused");
        }
        let mut told = problem.response(id);
        // What inner layers added (cookies, Allow) stays.
        for (name, value) in response.headers() {
            if !told.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                told.headers_mut().append(name.clone(), value.clone());
            }
        }
        return told;
    }
    let bare = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    // Extractors of axum refuse in plain text.
    let plain = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if ours && bare && plain {
        return with_headers(from_status(status).response(id), &response);
    }
    response
}

fn with_headers(mut told: Response, from: &Response) -> Response {
    if let Some(allow) = from.headers().get(header::ALLOW) {
        told.headers_mut().insert(header::ALLOW, allow.clone());
    }
    told
}

fn from_status(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method_not_allowed", "This address does not answer to this method.")
        }
        StatusCode::NOT_FOUND => ("not_found", "Nothing has such an address."),
        StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "The body is larger than this route accepts."),
        StatusCode::BAD_REQUEST => ("bad_request", "The request is not one that this route understands."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("unsupported_media_type", "This route takes another media type.")
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => {
            ("timeout", "The host did not finish in time.")
        }
        _ => ("failed", "The request failed."),
    };
    Problem::new(status, code, detail)
}

/// The answer when a handler panicked.
pub fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".into());
    Problem::internal(format!("a handler panicked: {text}")).into_response()
}

/// The answer to addresses that do not exist.
pub async fn not_found() -> Problem {
    from_status(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn the_host_is_named_alike_over_both_versions_of_http() {
        let mut request =
            Request::get("https://fleet.example:8443/api").body(Body::empty()).expect("a request");
        name_host(&mut request);
        assert_eq!(request.headers()[header::HOST], "fleet.example:8443");
        let mut request = Request::get("/api")
            .header(header::HOST, "fleet.example")
            .body(Body::empty())
            .expect("a request");
        name_host(&mut request);
        assert_eq!(request.headers()[header::HOST], "fleet.example");
    }
}
