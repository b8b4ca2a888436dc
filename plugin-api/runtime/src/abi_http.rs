//! HTTP between the `http` crate's types and the ABI's, without copying what need not be copied.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use abi_stable::std_types::{RNone, ROption, RResult, RSome, RVec};
use async_ffi::{FfiFuture, FutureExt};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use plugin_api::EngineError;
use plugin_api::abi::{
    AbiBody, AbiError, AbiHeader, AbiResponse, AbiResult, BodyStream, BodyStream_TO, BodyStreamBox,
};

use crate::{Body, BodyError};

/// Bytes that stay in the library's memory, so that they are not copied.
struct Owned(RVec<u8>);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// Bytes over an ABI vector without copying it.
pub(crate) fn bytes_from(vec: RVec<u8>) -> Bytes {
    if vec.is_empty() { Bytes::new() } else { Bytes::from_owner(Owned(vec)) }
}

pub(crate) fn vec_from(bytes: Bytes) -> RVec<u8> {
    RVec::from(Vec::from(bytes))
}

/// Whether a request's header may cross: credentials never do.
pub(crate) fn crosses(name: &HeaderName) -> bool {
    !matches!(name.as_str(), "authorization" | "cookie" | "proxy-authorization")
}

/// Headers for an engine.
pub(crate) fn headers_to_abi(headers: &HeaderMap) -> RVec<AbiHeader> {
    let crossing = headers.iter().filter(|(name, _)| crosses(name));
    crossing
        .map(|(name, value)| AbiHeader { name: name.as_str().into(), value: value.as_bytes().into() })
        .collect()
}

/// Most headers in an answer.
const MAX_HEADERS: usize = 256;

/// Add a header of an engine's answer. Those that belong to the connection or to sessions are the host's to set; one
/// that HTTP does not allow is left out.
pub(crate) fn add_header(headers: &mut HeaderMap, name: &[u8], value: &[u8]) -> Result<(), EngineError> {
    let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) else {
        return Ok(());
    };
    let of_host = matches!(
        name.as_str(),
        "connection" | "keep-alive" | "transfer-encoding" | "upgrade" | "te" | "trailer" | "set-cookie"
    );
    if of_host {
        return Ok(());
    }
    if headers.len() >= MAX_HEADERS || headers.try_append(name, value).is_err() {
        return Err(EngineError::new("bad_answer", "The engine answered with more than 256 headers."));
    }
    Ok(())
}

/// An engine's answer; one that HTTP does not allow is an error.
pub(crate) fn response_from(answer: AbiResponse) -> Result<Response<Body>, EngineError> {
    let mut response = Response::new(body_from(answer.body));
    *response.status_mut() = status_from(answer.status)?;
    for header in &answer.headers {
        add_header(response.headers_mut(), header.name.as_bytes(), &header.value)?;
    }
    Ok(response)
}

pub(crate) fn status_from(status: u16) -> Result<StatusCode, EngineError> {
    let code = StatusCode::from_u16(status).ok().filter(|s| !s.is_informational());
    code.ok_or_else(|| EngineError::new("bad_answer", format!("The engine answered with status {status}.")))
}

/// A body for the ABI.
pub(crate) fn body_to_abi(body: Body) -> AbiBody {
    match body.into_full() {
        Ok(bytes) => AbiBody::Full(vec_from(bytes)),
        Err(stream) => {
            let stream = HostBody(Arc::new(tokio::sync::Mutex::new(stream)));
            AbiBody::Stream(BodyStream_TO::from_value(stream, abi_stable::erased_types::TD_Opaque))
        }
    }
}

/// A body of this process that an engine reads.
struct HostBody(Arc<tokio::sync::Mutex<Body>>);

impl BodyStream for HostBody {
    fn next(&self) -> FfiFuture<ROption<AbiResult<RVec<u8>>>> {
        let body = self.0.clone();
        async move {
            match next_chunk(&mut *body.lock().await).await {
                None => RNone,
                Some(Ok(bytes)) => RSome(RResult::ROk(vec_from(bytes))),
                Some(Err(e)) => RSome(RResult::RErr(body_error(&e))),
            }
        }
        .into_ffi()
    }
}

fn body_error(error: &BodyError) -> AbiError {
    EngineError::new("body_broken", error.to_string()).into()
}

/// The next piece of data; trailers are skipped.
pub(crate) async fn next_chunk(body: &mut Body) -> Option<Result<Bytes, BodyError>> {
    loop {
        match body.frame().await? {
            Err(e) => return Some(Err(e)),
            Ok(frame) => match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Some(Ok(data)),
                Err(_trailers) => {}
            },
        }
    }
}

/// A body of an engine.
pub(crate) fn body_from(body: AbiBody) -> Body {
    match body {
        AbiBody::Full(bytes) => Body::full(bytes_from(bytes)),
        AbiBody::Stream(stream) => Body::new(EngineBody::new(stream)),
    }
}

type Chunks = Pin<Box<dyn futures_util::Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// A body that an engine produces; nothing is asked of it before the reader asks.
struct EngineBody(Mutex<Chunks>);

impl EngineBody {
    fn new(body: BodyStreamBox) -> Self {
        let chunks = stream::unfold(Some(body), |body| async move {
            let body = body?;
            let next = crate::in_process::guarded(body.next()).await;
            match next {
                Ok(RSome(RResult::ROk(bytes))) => Some((Ok(bytes_from(bytes)), Some(body))),
                Ok(RSome(RResult::RErr(e))) => Some((Err(BodyError(EngineError::from(e).to_string())), None)),
                Ok(RNone) => None,
                Err(panicked) => Some((Err(BodyError(panicked.to_string())), None)),
            }
        });
        Self(Mutex::new(chunks.boxed()))
    }
}

impl http_body::Body for EngineBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let chunks = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        chunks.poll_next_unpin(cx).map(|item| item.map(|r| r.map(Frame::data)))
    }
}
