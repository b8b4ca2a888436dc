//! An answer of axum as the host expects it.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use futures_util::FutureExt;
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::Body as _;
use http_body_util::BodyExt;
use plugin_api::abi::{
    AbiBody, AbiHeader, AbiResponse,
    abi_stable::std_types::{RString, RVec},
};

use super::body;
use crate::{ctx::RawContext, instance::Instance, problem::Problem, server::InFlight};

/// Convert; runs inside the guard. A body that is there at once travels whole, any other streams.
pub(crate) fn from_axum(
    response: Response,
    context: &RawContext,
    instance: &Arc<Instance>,
    in_flight: InFlight,
) -> AbiResponse {
    let (mut parts, mut body) = response.into_parts();
    if let Some(problem) = parts.extensions.remove::<Problem>() {
        parts.headers.remove(CONTENT_LENGTH);
        let json = problem.to_json(&request_id(context));
        return AbiResponse {
            status: parts.status.as_u16(),
            headers: headers(&parts.headers),
            body: AbiBody::Full(json.to_string().into_bytes().into()),
        };
    }
    let body = match first_chunk(&mut body) {
        First::Whole(data) => AbiBody::Full(data),
        First::Begins(chunk) => body::to_host(body, Some(chunk), instance, in_flight),
        First::Waits => body::to_host(body, None, instance, in_flight),
    };
    AbiResponse { status: parts.status.as_u16(), headers: headers(&parts.headers), body }
}

/// An answer the SDK gives itself.
pub(crate) fn from_problem(problem: &Problem, context: &RawContext) -> AbiResponse {
    let header =
        AbiHeader { name: "content-type".into(), value: RVec::from(&b"application/problem+json"[..]) };
    AbiResponse {
        status: problem.status().as_u16(),
        headers: vec![header].into(),
        body: AbiBody::Full(problem.to_json(&request_id(context)).to_string().into_bytes().into()),
    }
}

fn request_id(context: &RawContext) -> String {
    context.decode().map(|c| c.request_id).unwrap_or_default()
}

fn headers(map: &HeaderMap) -> RVec<AbiHeader> {
    let mut out = Vec::with_capacity(map.len());
    for (name, value) in map {
        out.push(AbiHeader { name: RString::from(name.as_str()), value: RVec::from(value.as_bytes()) });
    }
    out.into()
}

enum First {
    /// The body is complete.
    Whole(RVec<u8>),
    /// More may follow.
    Begins(RVec<u8>),
    /// Nothing is there yet, or it failed already: the stream will tell.
    Waits,
}

fn first_chunk(body: &mut Body) -> First {
    if body.is_end_stream() {
        return First::Whole(RVec::new());
    }
    let exact = body.size_hint().exact();
    if exact.is_none() {
        return First::Waits;
    }
    match body.frame().now_or_never() {
        Some(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => {
                let whole = body.is_end_stream() || exact == u64::try_from(data.len()).ok();
                let data = RVec::from(Vec::from(data));
                if whole { First::Whole(data) } else { First::Begins(data) }
            }
            Err(_) => First::Waits,
        },
        Some(None) => First::Whole(RVec::new()),
        Some(Some(Err(_))) | None => First::Waits,
    }
}
