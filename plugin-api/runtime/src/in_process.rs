//! A server half in this process: ABI objects behind [`EngineInstance`].

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use abi_stable::std_types::RVec;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use plugin_api::abi::{AbiHeader, AbiRequest, AbiResponse, ServerEngineBox};
use plugin_api::description::Description;
use plugin_api::{CallContext, EngineError};
use tokio::sync::watch;

use crate::adapters::{from_abi, server_services};
use crate::gauge::{Gauge, Guarded, Running};
use crate::library::{self, Loaded};
use crate::{
    Body, EngineInstance, HostServices, InstanceState, Mode, Package, StartError, Stats, Verified, abi_http,
    problem,
};

/// Limits of an in-process instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InProcessOptions {
    /// How long the engine may take to start.
    pub start_deadline: Duration,
    /// Deadline of requests whose context has none.
    pub default_deadline: Duration,
}

impl Default for InProcessOptions {
    fn default() -> Self {
        Self { start_deadline: Duration::from_secs(30), default_deadline: Duration::from_secs(60) }
    }
}

/// Load a package's library into this process and start its server half.
///
/// # Errors
/// [`StartError`]: refused, failed or too slow.
pub async fn start_in_process(
    package: &Verified<Package>,
    services: HostServices,
    options: InProcessOptions,
) -> Result<Arc<dyn EngineInstance>, StartError> {
    let loaded = library::load_off_thread(package).await?;
    let services = server_services(package.manifest(), &services)?;
    let engine = create(&loaded, services, options.start_deadline).await?;
    Ok(Arc::new(InProcess {
        engine: Arc::new(Keep::new(engine)),
        description: loaded.description,
        options,
        gauge: Arc::new(Gauge::default()),
        state: watch::Sender::new(InstanceState::Running),
    }))
}

/// Build the server half.
pub(crate) async fn create(
    loaded: &Loaded,
    services: plugin_api::abi::ServerServices,
    deadline: Duration,
) -> Result<ServerEngineBox, StartError> {
    let create = (loaded.module.create_server())(services);
    let created = tokio::time::timeout(deadline, guarded(create)).await;
    Ok(from_abi(created.map_err(|_| StartError::Deadline(deadline))??)?)
}

/// Await a future of an engine. `async-ffi` panics when the engine's side panicked, which happens only to an engine
/// built without the SDK's guard; one such engine must not take a task of the host with it.
pub(crate) async fn guarded<F: Future>(future: F) -> Result<F::Output, EngineError> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|_| EngineError::panicked("a call"))
}

/// Time left until an instant in milliseconds since the Unix epoch.
pub(crate) fn until(unix_ms: i64) -> Duration {
    let left = unix_ms.saturating_sub(chrono::Utc::now().timestamp_millis());
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}

pub(crate) fn deadline_of(context: &CallContext, default: Duration) -> Duration {
    if context.deadline_unix_ms > 0 { until(context.deadline_unix_ms) } else { default }
}

/// An engine's object. It is dropped on a thread of its own: an engine may own a runtime, and a runtime may not be
/// dropped on a thread that polls futures.
pub(crate) struct Keep<T: Send + 'static>(ManuallyDrop<T>);

impl<T: Send + 'static> Keep<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T: Send + 'static> Deref for Keep<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + 'static> Drop for Keep<T> {
    fn drop(&mut self) {
        // SAFETY: `drop` runs once and nothing touches the value after it.
        let value = unsafe { ManuallyDrop::take(&mut self.0) };
        // Without a thread the value leaks with the closure, as libraries do anyway.
        let leaked = std::thread::Builder::new().name("engine-drop".into()).spawn(move || drop(value));
        if let Err(error) = leaked {
            tracing::warn!(%error, "no thread to drop an engine on");
        }
    }
}

struct InProcess {
    engine: Arc<Keep<ServerEngineBox>>,
    description: Description,
    options: InProcessOptions,
    gauge: Arc<Gauge>,
    state: watch::Sender<InstanceState>,
}

/// A request for the ABI from its parts.
pub(crate) fn abi_request(
    method: &str,
    uri: &str,
    headers: RVec<AbiHeader>,
    context: Vec<u8>,
    body: Body,
) -> AbiRequest {
    AbiRequest {
        method: method.into(),
        uri: uri.into(),
        headers,
        context: context.into(),
        body: abi_http::body_to_abi(body),
    }
}

/// Path and query, as engines see them.
pub(crate) fn path_of(uri: &http::Uri) -> &str {
    uri.path_and_query().map_or("/", |p| p.as_str())
}

impl InProcess {
    fn begin(&self) -> Result<Running, EngineError> {
        self.gauge.begin().ok_or_else(problem::unavailable)
    }

    async fn serve(
        &self,
        request: Request<Body>,
        context: &CallContext,
    ) -> Result<Response<Body>, EngineError> {
        let running = self.begin()?;
        let deadline = deadline_of(context, self.options.default_deadline);
        let (parts, body) = request.into_parts();
        let context = plugin_api::error::encode(context)?;
        let headers = abi_http::headers_to_abi(&parts.headers);
        let request = abi_request(parts.method.as_str(), path_of(&parts.uri), headers, context, body);
        let answer = tokio::time::timeout(deadline, self.uncut(guarded(self.engine.handle(request)))).await;
        let answer: AbiResponse = self.settle(answer)?;
        let response = abi_http::response_from(answer)?;
        Ok(response.map(|body| match body.into_full() {
            Ok(bytes) => Body::full(bytes),
            // The request counts as running until its answer is read or dropped.
            Err(stream) => Body::new(Guarded::new(stream, &self.gauge, (self.engine.clone(), running))),
        }))
    }

    /// Until what runs is cut off.
    async fn uncut<T>(&self, call: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        let answer = self.gauge.cut().run_until_cancelled(call).await;
        answer.unwrap_or_else(|| Err(problem::unavailable()))
    }

    fn settle<T>(
        &self,
        answer: Result<Result<T, EngineError>, tokio::time::error::Elapsed>,
    ) -> Result<T, EngineError> {
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                if error.code == "engine_panicked" {
                    self.gauge.panicked();
                }
                Err(error)
            }
            Err(_) => {
                self.gauge.timed_out();
                Err(problem::deadline_exceeded())
            }
        }
    }
}

impl EngineInstance for InProcess {
    fn handle<'a>(
        &'a self,
        request: Request<Body>,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let answer = self.serve(request, context).await;
            answer.unwrap_or_else(|e| problem::from_error(&e, &context.request_id))
        })
    }

    fn call<'a>(
        &'a self,
        method: &'a str,
        payload: Vec<u8>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Vec<u8>, EngineError>> {
        Box::pin(async move {
            let _running = self.begin()?;
            let call = guarded(self.engine.call(method.into(), payload.into()));
            let answer = tokio::time::timeout(deadline, self.uncut(call)).await;
            from_abi(self.settle(answer)?).map(|bytes| Bytes::into(abi_http::bytes_from(bytes)))
        })
    }

    fn description(&self) -> &Description {
        &self.description
    }

    fn mode(&self) -> Mode {
        Mode::InProcess
    }

    fn stats(&self) -> Stats {
        self.gauge.stats()
    }

    fn state(&self) -> watch::Receiver<InstanceState> {
        self.state.subscribe()
    }

    fn shutdown(&self, grace: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.gauge.drain(grace).await;
            self.state.send_replace(InstanceState::Stopped);
        })
    }
}
