//! One process of an isolated engine, from start to end.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use plugin_api::description::Description;
use plugin_api::{CallContext, EngineError, Manifest};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::answers::Answers;
use super::calls::{Calls, Entry, Full, Upload};
use super::child::{self, Child, Verdict};
use crate::gauge::{Gauge, Guarded, Running};
use crate::in_process::path_of;
use crate::refusal::RefusalKind;
use crate::wire::flow::{Credit, WINDOW, incoming, pump};
use crate::wire::frame::{Blob, Frame, Headers, Start, WireBody};
use crate::wire::link::{Link, Reader, SendError, split};
use crate::{
    Body, HostServices, IsolatedOptions, LogRecord, Package, Refusal, StartError, Verified, abi_http,
    library, problem,
};

/// Log records taken from a worker between two heartbeats.
const LOGS_PER_BEAT: u32 = 5000;

/// Everything needed to start a process, again and again.
pub(crate) struct Template {
    pub(crate) manifest: Manifest,
    pub(crate) options: IsolatedOptions,
    manifest_json: Blob,
    library: OwnedFd,
    services: HostServices,
}

impl Template {
    pub(crate) fn new(
        package: &Verified<Package>,
        services: HostServices,
        options: IsolatedOptions,
    ) -> Result<Self, StartError> {
        let manifest = package.manifest().clone();
        let manifest_json = plugin_api::error::encode(&manifest)?.into();
        let library = package.library.sealed()?.duplicate()?;
        Ok(Self { manifest, options, manifest_json, library, services })
    }

    fn start_frame(&self) -> Frame {
        Frame::Start(Box::new(Start {
            manifest: self.manifest_json.clone(),
            sql: self.services.sql.as_ref().map(|s| s.backend()),
            services: self.services.services.iter().map(|(name, _)| name.clone()).collect(),
            log_level: self.log_level(),
            memory: self.options.memory,
            threads: self.options.threads,
            start_ms: u64::try_from(self.options.start_deadline.as_millis()).unwrap_or(u64::MAX),
        }))
    }

    fn log_level(&self) -> u8 {
        (1..=5).rev().find(|level| self.services.log.enabled(*level, &self.manifest.id)).unwrap_or(0)
    }
}

/// A process that is up.
pub(crate) struct Started {
    pub(crate) session: Arc<Session>,
    /// Ends with the process, with the report of how.
    pub(crate) ended: JoinHandle<String>,
}

/// One process and what it is doing.
pub(crate) struct Session {
    pub(super) link: Arc<Link>,
    pub(super) answers: Answers,
    child: Child,
    verdict: Verdict,
    calls: Mutex<Calls>,
    log: HostServices,
    manifest: Manifest,
    options: IsolatedOptions,
    description: OnceLock<Description>,
    ready: Mutex<Option<oneshot::Sender<Result<(), StartError>>>>,
    last_pong: Mutex<Instant>,
    logs: AtomicU32,
}

/// Start a process and wait until its engine is up.
pub(crate) async fn start(template: &Template, stop: &CancellationToken) -> Result<Started, StartError> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(StartError::Process)?;
    ours.set_nonblocking(true).map_err(StartError::Process)?;
    let library = template.library.try_clone().map_err(StartError::Process)?;
    let (manifest, options) = (template.manifest.clone(), template.options.clone());
    let log = template.services.log.clone();
    let child = child::spawn(&manifest.id, &options, theirs.into(), library, log).await;
    let (link, reader) = split(UnixStream::from_std(ours).map_err(StartError::Process)?);
    let link = Arc::new(link);
    let (ready, is_ready) = oneshot::channel();
    let session = Arc::new(Session {
        answers: Answers::new(link.clone(), template.services.clone()),
        link,
        child: child.map_err(StartError::Process)?,
        verdict: Verdict::default(),
        calls: Mutex::default(),
        log: template.services.clone(),
        manifest,
        description: OnceLock::new(),
        ready: Mutex::new(Some(ready)),
        last_pong: Mutex::new(Instant::now()),
        logs: AtomicU32::new(0),
        options,
    });
    let _ = session.link.send(&template.start_frame());
    let mut ended = tokio::spawn(session.clone().run(reader, stop.clone(), template.log_level()));
    let limit = template.options.start_deadline;
    let outcome = tokio::select! {
        outcome = is_ready => outcome.unwrap_or(Err(StartError::Crashed("no report".into()))),
        () = tokio::time::sleep(limit) => Err(StartError::Deadline(limit)),
    };
    match outcome {
        Ok(()) => Ok(Started { session, ended }),
        Err(error) => {
            session.child.kill();
            let _ = timeout(Duration::from_secs(5), &mut ended).await;
            ended.abort();
            Err(error)
        }
    }
}

/// A request's body that has to stream.
struct Transfer {
    body: Body,
    credit: Arc<Credit>,
    stopped: oneshot::Receiver<()>,
}

/// Both ends of a transfer.
fn transfer(body: Body) -> (Upload, Transfer) {
    let (stop, stopped) = oneshot::channel();
    let credit = Arc::new(Credit::default());
    (Upload { credit: credit.clone(), _stop: stop }, Transfer { body, credit, stopped })
}

impl Transfer {
    /// Send the body to its end, or until nobody wants it.
    async fn run(self, link: Arc<Link>, id: u64) {
        tokio::select! {
            _ = pump(&link, id, self.body, &self.credit) => {}
            _ = self.stopped => {}
        }
    }
}

/// A request or call of this side; dropping it cancels.
struct Ticket {
    session: Arc<Session>,
    id: u64,
    /// The request counts as running as long as the ticket lives.
    _running: Option<Running>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.session.calls().cancel(self.id) {
            let _ = self.session.link.send(&Frame::Cancel { id: self.id });
        }
    }
}

impl Session {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.calls().is_alive()
    }

    pub(crate) fn description(&self) -> Description {
        self.description.get().cloned().unwrap_or_default()
    }

    fn add(&self, entry: Entry) -> Result<u64, EngineError> {
        self.calls().add(entry, self.options.max_in_flight).map_err(|full| match full {
            Full::Ended => problem::unavailable(),
            Full::TooMany => EngineError::new("engine_unavailable", "The engine has too many calls at once."),
        })
    }

    fn send(&self, id: u64, frame: &Frame) -> Result<(), EngineError> {
        self.link.send(frame).map_err(|e| match e {
            SendError::TooLarge => {
                self.calls().take(id);
                EngineError::new("too_large", "The call is larger than 64 MiB.")
            }
            SendError::Closed => problem::crashed("the connection closed"),
        })
    }

    /// Serve one request.
    pub(crate) async fn request(
        self: &Arc<Self>,
        request: Request<Body>,
        context: &CallContext,
        running: Running,
        gauge: &Gauge,
    ) -> Result<Response<Body>, EngineError> {
        let (parts, body) = request.into_parts();
        let context = plugin_api::error::encode(context)?.into();
        let (body, rest) = match body.into_full() {
            Ok(bytes) if bytes.len() <= WINDOW => (WireBody::Full(Blob(bytes)), None),
            Ok(bytes) => (WireBody::Stream, Some(Body::full(bytes))),
            Err(stream) => (WireBody::Stream, Some(stream)),
        };
        let (method, uri) = (parts.method.as_str().to_owned(), path_of(&parts.uri).to_owned());
        let (upload, transfer) = rest.map(transfer).unzip();
        let (answer, answered) = oneshot::channel();
        let id = self.add(Entry::Head(answer, upload))?;
        let ticket = Ticket { session: self.clone(), id, _running: Some(running) };
        let headers = headers_to_wire(&parts.headers);
        self.send(id, &Frame::Request { id, method, uri, headers, context, body })?;
        if let Some(transfer) = transfer {
            tokio::spawn(transfer.run(self.link.clone(), id));
        }
        let response = answered.await.unwrap_or_else(|_| Err(problem::crashed("no report")))?;
        Ok(match response.body().is_streaming() {
            false => response,
            true => response.map(|body| Body::new(Guarded::new(body, gauge, ticket))),
        })
    }

    /// Call a method.
    pub(crate) async fn call(
        self: &Arc<Self>,
        method: &str,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, EngineError> {
        let (answer, answered) = oneshot::channel();
        let id = self.add(Entry::Call(answer))?;
        let _ticket = Ticket { session: self.clone(), id, _running: None };
        self.send(id, &Frame::Call { id, method: method.to_owned(), payload: payload.into() })?;
        let answer = answered.await.unwrap_or_else(|_| Err(problem::crashed("no report")))?;
        Ok(answer.into())
    }

    /// Ask the process to end, and wait a little.
    pub(crate) async fn stop(&self) {
        let _ = self.link.send(&Frame::Stop);
        let _ = timeout(Duration::from_secs(2), self.child.ended()).await;
    }

    /// Listen to the process until it ends.
    async fn run(self: Arc<Self>, mut reader: Reader, stop: CancellationToken, mut log_level: u8) -> String {
        let link = self.link.clone();
        let flusher = tokio::spawn(async move { link.flush().await });
        let mut beat = interval(self.options.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopped = stop.cancelled();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                frame = reader.next() => match frame {
                    Ok(Some(frame)) => if let Err(broken) = self.take(frame) {
                        self.verdict.give(broken);
                        break;
                    },
                    Ok(None) => break,
                    Err(e) => {
                        if e.raw_os_error().is_none() {
                            self.verdict.give(format!("it broke the protocol: {e}"));
                        }
                        break;
                    }
                },
                _ = beat.tick() => match self.overdue() {
                    Some(reason) => {
                        self.verdict.give(reason);
                        break;
                    }
                    None => self.ping(&mut log_level),
                },
                () = &mut stopped => break,
            }
        }
        self.child.kill();
        self.link.close();
        flusher.abort();
        let ended = timeout(Duration::from_secs(5), self.child.ended()).await;
        let report = self.verdict.get().or(ended.ok()).unwrap_or_else(|| "it does not end".to_owned());
        self.answers.end();
        self.calls().fail(&report);
        self.settle_start(Err(StartError::Crashed(report.clone())));
        report
    }

    fn overdue(&self) -> Option<String> {
        let silence = self.options.silence;
        let quiet = self.last_pong.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        if quiet > silence + self.options.heartbeat {
            return Some(format!("it hung: no sign of life for {quiet:.1?}"));
        }
        let stuck = self.calls().stuck(silence);
        stuck.then(|| format!("it hung: a call was not let go of for {silence:.1?} after its end"))
    }

    fn ping(&self, log_level: &mut u8) {
        let log = &self.log.log;
        *log_level = (1..=5).rev().find(|level| log.enabled(*level, &self.manifest.id)).unwrap_or(0);
        let _ = self.link.send(&Frame::Ping { log_level: *log_level });
        let dropped = self.logs.swap(0, Relaxed).saturating_sub(LOGS_PER_BEAT);
        if dropped > 0 {
            self.remark(format!("{dropped} log records dropped: the engine logs too fast"));
        }
    }

    fn remark(&self, message: String) {
        let target = format!("{}::worker", self.manifest.id);
        self.log.log.log(LogRecord { level: 2, target, message, fields: Vec::new() });
    }

    fn settle_start(&self, outcome: Result<(), StartError>) {
        if let Some(ready) = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = ready.send(outcome);
        }
    }

    /// Act on a frame of the worker.
    fn take(self: &Arc<Self>, frame: Frame) -> Result<(), &'static str> {
        match frame {
            Frame::Head { id, status, headers, body } => self.head(id, status, &headers, body),
            Frame::Chunk { id, data: Blob(data) } => {
                if !self.calls().chunk(id, data) {
                    return Err("it broke the protocol: more body than it had credit for");
                }
            }
            Frame::End { id, error } => {
                if let Some(Entry::Body(inflow, _)) = self.calls().take(id) {
                    inflow.end(error);
                }
            }
            Frame::Answer { id, result } => {
                if let Some(Entry::Call(answer)) = self.calls().take(id) {
                    let _ = answer.send(result);
                }
            }
            Frame::Released { id } => drop(self.calls().take(id)),
            Frame::Credit { id, bytes } => {
                if let Some(Some(upload)) = self.calls().upload(id) {
                    upload.credit.add(bytes);
                }
            }
            Frame::BodyDropped { id } => {
                if let Some(upload) = self.calls().upload(id) {
                    *upload = None;
                }
            }
            Frame::Pong => *self.last_pong.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now(),
            Frame::Log(record) => {
                if self.logs.fetch_add(1, Relaxed) < LOGS_PER_BEAT
                    && self.log.log.enabled(record.level, &record.target)
                {
                    self.log.log.log(record);
                }
            }
            Frame::Ready { description, remarks } => self.ready(&description.0, remarks),
            Frame::Failed { refusal, error } => self.settle_start(Err(failure(refusal, error))),
            Frame::Service { id, name, method, payload } => self.answers.service(id, &name, method, payload),
            Frame::Sql { id, op } => self.answers.sql(id, op),
            Frame::SqlAbandon { tx } => self.answers.abandon(tx),
            Frame::Forget { id } => self.answers.forget(id),
            _ => return Err("it broke the protocol: a frame only the host sends"),
        }
        Ok(())
    }

    fn ready(&self, description: &Bytes, remarks: Vec<String>) {
        remarks.into_iter().for_each(|r| self.remark(r));
        let description = serde_json::from_slice::<Description>(description).map_err(|e| {
            let lie = format!("The library's description does not parse: {e}.");
            Refusal::new(RefusalKind::ManifestLies, lie)
        });
        // The worker compared too, but the library could have told it anything.
        let outcome = description.and_then(|d| library::compare(&d, &self.manifest).map(|()| d));
        self.settle_start(outcome.map_err(StartError::Refused).map(|d| drop(self.description.set(d))));
    }

    fn head(self: &Arc<Self>, id: u64, status: u16, headers: &Headers, body: WireBody) {
        let mut calls = self.calls();
        let (answer, upload) = match (calls.take(id), &body) {
            (Some(Entry::Head(answer, upload)), _) => (answer, upload),
            // Cancelled meanwhile: the rest of the answer still comes.
            (Some(cancelled @ Entry::Cancelled(_)), WireBody::Stream) => return calls.put(id, cancelled),
            _ => return,
        };
        let body = match body {
            WireBody::Full(Blob(bytes)) => Body::full(bytes),
            WireBody::Stream => {
                let (inflow, body) = incoming(self.link.clone(), id, ());
                calls.put(id, Entry::Body(inflow, upload));
                Body::new(body)
            }
        };
        drop(calls);
        let _ = answer.send(response_from(status, headers, body));
    }
}

fn failure(refusal: bool, error: EngineError) -> StartError {
    if !refusal {
        return StartError::Engine(error);
    }
    let kind = RefusalKind::ALL.iter().find(|k| k.code() == error.code);
    StartError::Refused(Refusal::new(kind.copied().unwrap_or(RefusalKind::LoadFailed), error.message))
}

fn headers_to_wire(headers: &HeaderMap) -> Headers {
    let headers = headers.iter().filter(|(name, _)| abi_http::crosses(name));
    headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec().into())).collect()
}

fn response_from(status: u16, headers: &Headers, body: Body) -> Result<Response<Body>, EngineError> {
    let mut response = Response::new(body);
    *response.status_mut() = abi_http::status_from(status)?;
    for (name, value) in headers {
        abi_http::add_header(response.headers_mut(), name.as_bytes(), &value.0)?;
    }
    Ok(response)
}
