//! The outermost layer: request id, access log, and every failure told as a problem document or a page.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tracing::Instrument;
use uuid::Uuid;

use crate::{app::App, pages, problem::Problem};

/// Header that carries the request id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub String);

/// Give the request an id, log it, and tell failures in the form that the caller reads.
pub(super) async fn tell(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // The token of an invitation is a secret, and stays out of the log.
    let route = request.extensions().get::<MatchedPath>().map(|m| m.as_str().to_owned());
    let logged = route.filter(|route| route.contains("{token}")).unwrap_or_else(|| path.clone());
    let started = Instant::now();
    let span = tracing::info_span!("request", request_id = %id);
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = finish(&app, response, &method, &path, &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    span.in_scope(|| {
        tracing::info!(
            target: "portal::access", %method, path = logged, status = response.status().as_u16(),
            duration_ms = started.elapsed().as_secs_f64() * 1000.0, "request"
        );
    });
    response
}

fn finish(app: &App, response: Response, method: &Method, path: &str, id: &str) -> Response {
    let problem = match response.extensions().get::<Arc<Problem>>() {
        Some(problem) => (**problem).clone(),
        None if is_bare(&response) => from_status(response.status()),
        None => return response,
    };
    if problem.status.is_server_error() {
        let cause = problem.cause.as_deref().unwrap_or(&problem.detail);
        tracing::error!(code = %problem.code, request_id = id, cause, "request failed");
    } else {
        tracing::debug!(code = %problem.code, request_id = id, detail = %problem.detail, "request refused");
    }
    if ["/api/", "/tuf/", "/webhooks/"].iter().any(|programs| path.starts_with(programs)) {
        return problem.json(id);
    }
    if problem.status == StatusCode::UNAUTHORIZED && method == Method::GET {
        return pages::sign_in_first(path);
    }
    let mut told = pages::failed(app, &problem, id);
    problem.add_headers(&mut told);
    told
}

/// What the framework answers by itself: no such route, a wrong method, a time limit.
fn is_bare(response: &Response) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    failed && kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn from_status(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => return Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method_not_allowed", "This address does not answer to this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "The body is larger than this route accepts."),
        StatusCode::GATEWAY_TIMEOUT => ("timeout", "The portal did not finish in time."),
        _ => ("failed", "The request failed."),
    };
    Problem::new(status, code, detail)
}

/// The answer when a handler panicked.
pub(super) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".into());
    Problem::internal(format!("a handler panicked: {text}")).into_response()
}
