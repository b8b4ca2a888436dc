//! A request of the host as axum expects it.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use plugin_api::abi::{AbiBody, AbiRequest, abi_stable::std_types::RVec};

use super::body;
use crate::{ctx::RawContext, problem::Problem};

/// Below this many bytes a copy is cheaper than keeping the host's allocation.
const COPY_BELOW: usize = 4096;

fn bytes(data: RVec<u8>) -> Bytes {
    match data.len() {
        0 => Bytes::new(),
        n if n < COPY_BELOW => Bytes::copy_from_slice(&data),
        _ => Bytes::from_owner(data),
    }
}

/// Convert; the raw context comes back too, for an answer that needs the request id.
pub(crate) fn to_axum(request: AbiRequest) -> (RawContext, Result<Request<Body>, Problem>) {
    let context = RawContext(bytes(request.context));
    let parsed = (Method::from_bytes(request.method.as_bytes()), request.uri.as_str().parse::<Uri>());
    let (Ok(method), Ok(uri)) = parsed else {
        let problem = Problem::new(400, "bad_request", "The request line does not parse.");
        return (context, Err(problem));
    };
    let mut out = Request::new(match request.body {
        AbiBody::Full(data) if data.is_empty() => Body::empty(),
        AbiBody::Full(data) => Body::from(bytes(data)),
        AbiBody::Stream(stream) => body::from_host(stream),
    });
    *out.method_mut() = method;
    *out.uri_mut() = uri;
    out.headers_mut().reserve(request.headers.len());
    for header in request.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(&header.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            let problem = Problem::new(400, "bad_request", "A header does not parse.");
            return (context, Err(problem));
        };
        out.headers_mut().append(name, value);
    }
    out.extensions_mut().insert(context.clone());
    (context, Ok(out))
}
