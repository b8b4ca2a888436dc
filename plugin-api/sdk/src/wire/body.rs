//! Streaming bodies. The reader sets the pace on both sides: nothing is read ahead.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, lock::Mutex, stream};
use http_body_util::BodyExt;
use plugin_api::{
    EngineError,
    abi::{
        AbiBody, AbiError, AbiResult, BodyStream, BodyStream_TO, BodyStreamBox, FfiFuture, FutureExt,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RErr, RNone, ROk, ROption, RSome, RVec},
        },
    },
};

use crate::{
    guard::{DropGuarded, Guarded, Panicked},
    instance::Instance,
    server::InFlight,
};

/// A body the host streams to the engine.
pub(super) fn from_host(stream: BodyStreamBox) -> Body {
    let chunks = stream::unfold(Some(stream), |stream| async move {
        let stream = stream?;
        match stream.next().await {
            RSome(ROk(chunk)) => Some((Ok(Bytes::from_owner(chunk)), Some(stream))),
            RSome(RErr(e)) => Some((Err(EngineError::from(e)), None)),
            RNone => None,
        }
    });
    Body::from_stream(SyncStream(Box::pin(chunks)))
}

/// Names the type, so that error messages of the compiler stay short.
struct SyncStream<S>(Pin<Box<S>>);

impl<S: Stream> Stream for SyncStream<S> {
    type Item = S::Item;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

/// A body the engine streams to the host.
pub(super) fn to_host(
    body: Body,
    first: Option<RVec<u8>>,
    instance: &Arc<Instance>,
    in_flight: InFlight,
) -> AbiBody {
    let state = State { first, body: Some(body), _in_flight: in_flight };
    let state = Arc::new(DropGuarded::new(instance.clone(), Mutex::new(state)));
    let stream = EngineBody { state, instance: instance.clone() };
    AbiBody::Stream(BodyStream_TO::from_value(stream, TD_Opaque))
}

struct State {
    first: Option<RVec<u8>>,
    /// `None` once it ended, failed or panicked.
    body: Option<Body>,
    _in_flight: InFlight,
}

struct EngineBody {
    state: Arc<DropGuarded<Mutex<State>>>,
    instance: Arc<Instance>,
}

type Chunk = ROption<AbiResult<RVec<u8>>>;

impl BodyStream for EngineBody {
    fn next(&self) -> FfiFuture<Chunk> {
        let state = self.state.clone();
        let guarded = Guarded::new(self.instance.clone(), async move {
            match state.get() {
                Some(state) => state.lock().await.next().await,
                None => RNone,
            }
        });
        async move {
            guarded
                .await
                .unwrap_or_else(|Panicked| RSome(RErr(EngineError::panicked("the body of an answer").into())))
        }
        .into_ffi()
    }
}

impl State {
    async fn next(&mut self) -> Chunk {
        if let Some(first) = self.first.take() {
            return RSome(ROk(first));
        }
        // Taken out while it is polled: after a panic the stream has ended.
        let Some(mut body) = self.body.take() else { return RNone };
        loop {
            return match body.frame().await {
                None => RNone,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => continue,
                    Ok(data) => {
                        self.body = Some(body);
                        RSome(ROk(Vec::from(data).into()))
                    }
                    Err(_) => continue, // Trailers have no place in the contract.
                },
                Some(Err(e)) => RSome(RErr(AbiError::from(EngineError::new("body_failed", e.to_string())))),
            };
        }
    }
}
