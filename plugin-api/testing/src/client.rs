//! Sends requests to an engine as a host would, for an actor with chosen permissions.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use plugin_api::{
    CallContext, EngineError,
    abi::{
        AbiBody, AbiHeader, AbiRequest, BodyStream, BodyStream_TO, BodyStreamBox, FfiFuture, FutureExt,
        ServerEngineBox,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RErr, RNone, ROk, ROption, RSome, RVec},
        },
    },
    error::encode,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Mutex;

/// An actor's requests.
#[derive(Clone)]
pub struct Client {
    pub(crate) server: Arc<ServerEngineBox>,
    /// The context sent with every request; the request id is counted on.
    pub context: CallContext,
    pub(crate) counter: Arc<AtomicU64>,
}

/// A request's body.
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// Bytes with a content type.
    Bytes(&'static str, Vec<u8>),
    /// Chunks that the engine reads at its own pace.
    Chunks(Vec<Vec<u8>>),
}

impl Client {
    /// The same actor with other permissions.
    #[must_use]
    pub fn with_permissions(mut self, permissions: &[&str]) -> Self {
        self.context.permissions = permissions.iter().map(|p| (*p).to_owned()).collect::<BTreeSet<_>>();
        self
    }

    /// The same actor, confined to machines that a selector matches.
    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        self.context.scope = scope.into();
        self
    }

    /// GET.
    pub async fn get(&self, uri: &str) -> TestResponse {
        self.send("GET", uri, Body::Empty).await
    }

    /// DELETE.
    pub async fn delete(&self, uri: &str) -> TestResponse {
        self.send("DELETE", uri, Body::Empty).await
    }

    /// POST of JSON.
    pub async fn post<T: Serialize + ?Sized>(&self, uri: &str, body: &T) -> TestResponse {
        self.send("POST", uri, Body::Json(json(body))).await
    }

    /// PUT of JSON.
    pub async fn put<T: Serialize + ?Sized>(&self, uri: &str, body: &T) -> TestResponse {
        self.send("PUT", uri, Body::Json(json(body))).await
    }

    /// PATCH of JSON.
    pub async fn patch<T: Serialize + ?Sized>(&self, uri: &str, body: &T) -> TestResponse {
        self.send("PATCH", uri, Body::Json(json(body))).await
    }

    /// Any request. Dropping the future cancels it.
    pub async fn send(&self, method: &str, uri: &str, body: Body) -> TestResponse {
        self.send_with(method, uri, &[], body).await
    }

    /// Any request with headers.
    pub async fn send_with(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> TestResponse {
        let mut context = self.context.clone();
        context.request_id = format!("request-{}", self.counter.fetch_add(1, Ordering::Relaxed) + 1);
        let mut all: Vec<AbiHeader> = headers.iter().map(|(name, value)| header(name, value)).collect();
        let body = match body {
            Body::Empty => AbiBody::Full(RVec::new()),
            Body::Json(value) => {
                all.push(header("content-type", "application/json"));
                AbiBody::Full(value.to_string().into_bytes().into())
            }
            Body::Bytes(kind, bytes) => {
                all.push(header("content-type", kind));
                AbiBody::Full(bytes.into())
            }
            Body::Chunks(chunks) => {
                let chunks = Chunks(Mutex::new(chunks.into_iter()).into());
                AbiBody::Stream(BodyStream_TO::from_value(chunks, TD_Opaque))
            }
        };
        let answer = self.server.handle(AbiRequest {
            method: method.into(),
            uri: uri.into(),
            headers: all.into(),
            context: encode(&context).expect("a context is JSON").into(),
            body,
        });
        let answer = answer.await;
        let text = |h: AbiHeader| (h.name.to_string(), String::from_utf8_lossy(&h.value).into_owned());
        let (first, rest) = match answer.body {
            AbiBody::Full(data) => (data.into_vec(), None),
            AbiBody::Stream(stream) => (Vec::new(), Some(stream)),
        };
        let mut response = TestResponse {
            status: answer.status,
            headers: answer.headers.into_iter().map(text).collect(),
            request_id: context.request_id,
            body: first,
            body_error: None,
            stream: rest,
        };
        if !response.is_endless() {
            response.read_all().await;
        }
        response
    }
}

fn json<T: Serialize + ?Sized>(body: &T) -> Value {
    serde_json::to_value(body).expect("a test's body is JSON")
}

fn header(name: &str, value: &str) -> AbiHeader {
    AbiHeader { name: name.into(), value: value.as_bytes().into() }
}

struct Chunks(Arc<Mutex<std::vec::IntoIter<Vec<u8>>>>);

impl BodyStream for Chunks {
    fn next(&self) -> FfiFuture<ROption<plugin_api::abi::AbiResult<RVec<u8>>>> {
        let chunks = self.0.clone();
        async move {
            match chunks.lock().await.next() {
                Some(chunk) => RSome(ROk(chunk.into())),
                None => RNone,
            }
        }
        .into_ffi()
    }
}

/// An answer, read whole unless it is a stream of events.
pub struct TestResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Request id the client sent.
    pub request_id: String,
    /// Body.
    pub body: Vec<u8>,
    /// Error that ended the body.
    pub body_error: Option<EngineError>,
    stream: Option<BodyStreamBox>,
}

impl TestResponse {
    /// Most bytes read of a body; more stays in the stream.
    const MOST: usize = 64 << 20;

    fn is_endless(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The next chunk of a body that streams.
    pub async fn next_chunk(&mut self) -> Option<Result<Vec<u8>, EngineError>> {
        let pending = self.stream.as_ref()?.next();
        match pending.await {
            RSome(ROk(chunk)) => Some(Ok(chunk.into_vec())),
            RSome(RErr(e)) => Some(Err(e.into())),
            RNone => None,
        }
    }

    async fn read_all(&mut self) {
        while self.body.len() < Self::MOST {
            match self.next_chunk().await {
                Some(Ok(chunk)) => self.body.extend(chunk),
                Some(Err(e)) => {
                    self.body_error = Some(e);
                    return;
                }
                None => return,
            }
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as `T`.
    ///
    /// # Panics
    /// When it is not, with the body.
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{} answered {}: {e}", self.status, self.text()))
    }

    /// The problem's code, if it is one.
    pub fn code(&self) -> Option<String> {
        self.json()["code"].as_str().map(str::to_owned)
    }
}
