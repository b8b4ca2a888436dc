//! `ETag` and `If-Match` from the time of the last change.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::Json;

/// The tag of a thing changed last at `at`.
pub fn tag(at: DateTime<Utc>) -> String {
    format!("\"{:x}\"", at.timestamp_micros())
}

/// Whether `If-Match` is absent or names the tag.
pub fn if_match(headers: &HeaderMap, at: DateTime<Utc>) -> bool {
    headers.get(header::IF_MATCH).is_none_or(|wanted| lists(wanted, &tag(at)))
}

/// The thing with its tag; 304 when the client has it.
pub fn answer<T: Serialize>(headers: &HeaderMap, at: DateTime<Utc>, thing: T) -> Response {
    let tag = tag(at);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|have| lists(have, &tag));
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { Json(thing).into_response() };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn lists(header: &HeaderValue, tag: &str) -> bool {
    header.to_str().is_ok_and(|text| text.split(',').map(str::trim).any(|t| t == "*" || t == tag))
}
