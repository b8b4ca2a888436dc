//! Serves the host's requests and calls with the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use plugin_api::EngineError;
use plugin_api::abi::{AbiHeader, AbiResponse, ServerEngineBox};
use tokio::task::AbortHandle;

use super::proxies::{Asker, LogProxy};
use super::run::exit;
use crate::adapters::from_abi;
use crate::in_process::{Keep, abi_request, guarded};
use crate::wire::flow::{Credit, Inflow, WINDOW, incoming, pump};
use crate::wire::frame::{Blob, Frame, Headers, WireBody};
use crate::wire::link::{Link, Reader, SendError};
use crate::{Body, abi_http};

/// One request or call of the host.
struct Task {
    abort: AbortHandle,
    upload: Option<Inflow>,
    credit: Arc<Credit>,
}

/// The engine and what it is doing.
pub(super) struct Server {
    link: Arc<Link>,
    asker: Arc<Asker>,
    log: Arc<LogProxy>,
    engine: OnceLock<Keep<ServerEngineBox>>,
    tasks: Mutex<HashMap<u64, Task>>,
}

/// Every number gets exactly one last frame: this one says so when no other did.
struct Finish {
    server: Arc<Server>,
    id: u64,
    told: bool,
}

impl Finish {
    /// The last frame was sent.
    fn tell(&mut self) {
        self.told = true;
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        self.server.tasks().remove(&self.id);
        if !self.told {
            let _ = self.server.link.send(&Frame::Released { id: self.id });
        }
    }
}

/// Tells the host that a request's body is not wanted any longer.
struct NotWanted {
    link: Arc<Link>,
    id: u64,
}

impl Drop for NotWanted {
    fn drop(&mut self) {
        let _ = self.link.send(&Frame::BodyDropped { id: self.id });
    }
}

impl Server {
    pub(super) fn new(link: Arc<Link>, asker: Arc<Asker>, log: Arc<LogProxy>) -> Self {
        Self { link, asker, log, engine: OnceLock::new(), tasks: Mutex::default() }
    }

    pub(super) fn set_engine(&self, engine: ServerEngineBox) {
        let _ = self.engine.set(Keep::new(engine));
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<u64, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request or call runs.
    pub(super) fn is_busy(&self) -> bool {
        !self.tasks().is_empty()
    }

    /// Act on frames until the host is gone.
    pub(super) async fn listen(self: Arc<Self>, mut reader: Reader) {
        while let Ok(Some(frame)) = reader.next().await {
            match frame {
                Frame::Request { id, method, uri, headers, context, body } => {
                    self.request(id, method, uri, headers, context, body);
                }
                Frame::Call { id, method, payload } => self.call(id, method, payload),
                Frame::Cancel { id } => {
                    if let Some(task) = self.tasks().get(&id) {
                        task.credit.close();
                        task.abort.abort();
                    }
                }
                Frame::Chunk { id, data: Blob(data) } => {
                    if let Some(Task { upload: Some(upload), .. }) = self.tasks().get(&id) {
                        let _ = upload.push(data);
                    }
                }
                Frame::End { id, error } => {
                    if let Some(upload) = self.tasks().get_mut(&id).and_then(|t| t.upload.take()) {
                        upload.end(error);
                    }
                }
                Frame::Credit { id, bytes } => {
                    if let Some(task) = self.tasks().get(&id) {
                        task.credit.add(bytes);
                    }
                }
                Frame::Ping { log_level } => {
                    self.log.set_level(log_level);
                    let _ = self.link.send(&Frame::Pong);
                }
                Frame::Reply { id, result } => self.asker.replied(id, result),
                Frame::SqlReply { id, result } => self.asker.sql_replied(id, result),
                Frame::Stop => exit(),
                _ => {}
            }
        }
        exit()
    }

    /// Run `work` under the host's number. The map is locked while the task starts, so that it cannot end before it is
    /// in there.
    fn run<F>(self: &Arc<Self>, id: u64, upload: Option<Inflow>, work: impl FnOnce(Finish, Arc<Credit>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let credit = Arc::new(Credit::default());
        let finish = Finish { server: self.clone(), id, told: false };
        let mut tasks = self.tasks();
        let task = tokio::spawn(work(finish, credit.clone()));
        tasks.insert(id, Task { abort: task.abort_handle(), upload, credit });
    }

    fn request(
        self: &Arc<Self>,
        id: u64,
        method: String,
        uri: String,
        headers: Headers,
        context: Blob,
        body: WireBody,
    ) {
        let (upload, body) = match body {
            WireBody::Full(Blob(bytes)) => (None, Body::full(bytes)),
            WireBody::Stream => {
                let guard = NotWanted { link: self.link.clone(), id };
                let (upload, body) = incoming(self.link.clone(), id, guard);
                (Some(upload), Body::new(body))
            }
        };
        self.run(id, upload, |mut finish, credit| async move {
            let server = finish.server.clone();
            let headers = headers
                .into_iter()
                .map(|(name, value)| AbiHeader { name: name.into(), value: value.0.as_ref().into() });
            let request = abi_request(&method, &uri, headers.collect(), context.into(), body);
            let Some(engine) = server.engine.get() else { return };
            match guarded(engine.handle(request)).await {
                Ok(answer) => server.answer(id, answer, &mut finish, &credit).await,
                Err(panicked) => server.problem(id, &panicked, &mut finish),
            }
        });
    }

    async fn answer(&self, id: u64, answer: AbiResponse, finish: &mut Finish, credit: &Credit) {
        let headers = answer.headers.into_iter();
        let headers: Headers = headers.map(|h| (h.name.into(), Vec::from(h.value).into())).collect();
        let (status, body) = (answer.status, abi_http::body_from(answer.body));
        let (body, rest) = match body.into_full() {
            Ok(bytes) if bytes.len() <= WINDOW => (WireBody::Full(Blob(bytes)), None),
            Ok(bytes) => (WireBody::Stream, Some(Body::full(bytes))),
            Err(stream) => (WireBody::Stream, Some(stream)),
        };
        finish.told = rest.is_none();
        if let Err(SendError::TooLarge) = self.link.send(&Frame::Head { id, status, headers, body }) {
            return self.problem(
                id,
                &EngineError::new("bad_answer", "The answer's head is too large."),
                finish,
            );
        }
        if let Some(body) = rest {
            finish.told = pump(&self.link, id, body, credit).await;
        }
    }

    fn problem(&self, id: u64, error: &EngineError, finish: &mut Finish) {
        let body = crate::problem::from_error(error, "").into_body();
        let body = WireBody::Full(Blob(body.into_full().unwrap_or_default()));
        let headers = vec![("content-type".to_owned(), Blob::from(b"application/problem+json".to_vec()))];
        finish.told = self.link.send(&Frame::Head { id, status: 500, headers, body }).is_ok();
    }

    fn call(self: &Arc<Self>, id: u64, method: String, payload: Blob) {
        self.run(id, None, |mut finish, _| async move {
            let server = finish.server.clone();
            let Some(engine) = server.engine.get() else { return };
            let payload = Vec::from(payload).into();
            let result = guarded(engine.call(method.into(), payload)).await.and_then(from_abi);
            let result = result.map(|bytes| Blob::from(Vec::from(bytes)));
            let sent = server.link.send(&Frame::Answer { id, result });
            if sent == Err(SendError::TooLarge) {
                let error = EngineError::new("too_large", "The engine's answer is larger than 64 MiB.");
                let _ = server.link.send(&Frame::Answer { id, result: Err(error) });
            }
            finish.tell();
        });
    }
}
