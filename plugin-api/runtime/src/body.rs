//! Bodies of requests and answers: whole, or streaming at the reader's pace.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

/// Why a body broke off.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub String);

/// A body. Use [`Body::new`] for any `http_body::Body`, such as axum's; hand one to axum with `axum::body::Body::new`.
#[derive(Debug, Default)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    Full(Bytes),
    Stream(UnsyncBoxBody<Bytes, BodyError>),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Full(Bytes::new())
    }
}

impl Body {
    /// No body.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body known whole.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Full(bytes.into()))
    }

    /// A body that streams. One that is already at its end becomes an empty one.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: std::fmt::Display,
    {
        if body.is_end_stream() {
            return Self::empty();
        }
        Self(Kind::Stream(body.map_err(|e| BodyError(e.to_string())).boxed_unsync()))
    }

    /// The bytes when known whole, else the stream back.
    pub(crate) fn into_full(self) -> Result<Bytes, Self> {
        match self.0 {
            Kind::Full(bytes) => Ok(bytes),
            stream => Err(Self(stream)),
        }
    }

    /// Whether it is a stream.
    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self.0, Kind::Stream(_))
    }

    /// Everything, for small bodies and tests.
    ///
    /// # Errors
    /// When the body breaks off or holds more than `limit` bytes.
    pub async fn collect(self, limit: usize) -> Result<Bytes, BodyError> {
        let whole = http_body_util::Limited::new(self, limit).collect().await;
        whole.map(|c| c.to_bytes()).map_err(|e| BodyError(e.to_string()))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::full(bytes)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Stream(stream) => Pin::new(stream).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(stream) => stream.size_hint(),
        }
    }
}
