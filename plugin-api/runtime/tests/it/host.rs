//! The host's side of the tests: services that record what was asked of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use plugin_api::{CallContext, EngineError};
use plugin_runtime::sql::{SqlBackend, SqlColumn, SqlDone, SqlRows, SqlStatement, SqlType, TxId};
use plugin_runtime::{Body, EngineInstance, HostService, HostServices, LogRecord, LogSink, SqlService};

/// What happened at the host.
#[derive(Default)]
pub struct Host {
    pub logs: Mutex<Vec<LogRecord>>,
    pub open: Mutex<BTreeSet<TxId>>,
    pub abandoned: Mutex<Vec<TxId>>,
    pub cancelled: AtomicU64,
    next_tx: AtomicU64,
}

impl Host {
    pub fn services(self: &Arc<Self>) -> HostServices {
        HostServices {
            log: self.clone(),
            sql: Some(self.clone()),
            services: vec![("settings".into(), self.clone()), ("audit".into(), self.clone())],
        }
    }
}

impl LogSink for Host {
    fn enabled(&self, level: u8, _target: &str) -> bool {
        level <= 3
    }

    fn log(&self, record: LogRecord) {
        self.logs.lock().unwrap().push(record);
    }
}

/// Counts calls that were dropped before their end.
struct Cancelled<'a>(&'a Host);

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        self.0.cancelled.fetch_add(1, SeqCst);
    }
}

impl HostService for Host {
    fn call(&self, method: String, payload: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>> {
        Box::pin(async move {
            match method.as_str() {
                "settings.get" => Ok([b"got ", payload.as_slice()].concat()),
                "settings.never" => {
                    let _cancelled = Cancelled(self);
                    std::future::pending().await
                }
                _ => Err(EngineError::unknown("method", &method)),
            }
        })
    }
}

impl SqlService for Host {
    fn backend(&self) -> SqlBackend {
        SqlBackend::Sqlite
    }

    fn query(&self, _tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlRows, EngineError>> {
        Box::pin(async move {
            let column = SqlColumn { name: "a".into(), kind: SqlType::Bytes };
            Ok(SqlRows { columns: vec![column].into(), values: statement.values })
        })
    }

    fn execute(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlDone, EngineError>> {
        Box::pin(async move {
            assert!(
                self.open.lock().unwrap().contains(&tx),
                "statements come before their transaction's end"
            );
            Ok(SqlDone { rows_affected: statement.values.len() as u64, last_insert_id: -1 })
        })
    }

    fn begin(&self, _parent: TxId) -> BoxFuture<'_, Result<TxId, EngineError>> {
        Box::pin(async move {
            let tx = self.next_tx.fetch_add(1, SeqCst) + 1;
            self.open.lock().unwrap().insert(tx);
            Ok(tx)
        })
    }

    fn commit(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move {
            self.open.lock().unwrap().remove(&tx);
            Ok(())
        })
    }

    fn rollback(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        self.commit(tx)
    }

    fn abandon(&self, tx: TxId) {
        self.open.lock().unwrap().remove(&tx);
        self.abandoned.lock().unwrap().push(tx);
    }
}

pub fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub fn post(path: &str, body: Body) -> Request<Body> {
    Request::post(path).body(body).unwrap()
}

/// A context whose deadline is so many milliseconds away.
pub fn within(ms: i64) -> CallContext {
    let deadline_unix_ms = chrono::Utc::now().timestamp_millis() + ms;
    CallContext { deadline_unix_ms, request_id: "r-1".into(), ..CallContext::default() }
}

pub async fn fetch(engine: &Arc<dyn EngineInstance>, path: &str) -> (u16, String) {
    read(engine.handle(get(path), &within(20_000)).await).await
}

pub async fn read(response: Response<Body>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect(16 << 20).await.unwrap();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Wait until something is so, at most 10 seconds.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(10), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The code of a problem answer.
pub fn problem_code(body: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

/// What both modes must do alike.
pub async fn behaves(engine: &Arc<dyn EngineInstance>, host: &Arc<Host>) {
    assert_eq!(fetch(engine, "/hello").await, (200, "hello".into()));
    assert_eq!(fetch(engine, "/nowhere?x=1").await.0, 404);
    assert_eq!(engine.description().id, "fixture");
    answers_carry_context_and_no_credentials(engine).await;
    bodies_stream_both_ways(engine).await;
    services_are_reached(engine, host).await;
    faults_become_problems(engine).await;
    let stats = engine.stats();
    assert!(stats.started > 10, "{stats:?}");
    eventually("nothing runs", || engine.stats().in_flight == 0).await;
}

async fn answers_carry_context_and_no_credentials(engine: &Arc<dyn EngineInstance>) {
    let context = CallContext { actor: "user:1".into(), ..within(20_000) };
    let answer = read(engine.handle(get("/context"), &context).await).await.1;
    assert_eq!(serde_json::from_str::<CallContext>(&answer).unwrap(), context);
    let mut request = get("/headers");
    for name in ["authorization", "cookie", "accept"] {
        request.headers_mut().insert(name, "x".parse().unwrap());
    }
    let answer = engine.handle(request, &within(20_000)).await;
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(read(answer).await.1, "accept");
}

async fn bodies_stream_both_ways(engine: &Arc<dyn EngineInstance>) {
    let body = "0123456789".repeat(100_000);
    let echo = engine.handle(post("/echo", Body::full(body.clone())), &within(20_000)).await;
    assert_eq!(read(echo).await, (200, body.clone()));
    let pieces: Vec<Result<_, std::io::Error>> =
        (0..100).map(|_| Ok(http_body::Frame::data(bytes::Bytes::from(body[..20_000].to_owned())))).collect();
    let stream = Body::new(http_body_util::StreamBody::new(futures_util::stream::iter(pieces)));
    let length = engine.handle(post("/length", stream), &within(20_000)).await;
    assert_eq!(read(length).await, (200, "2000000".into()));
    let big = engine.handle(get("/big?100"), &within(20_000)).await;
    assert_eq!(read(big).await.1.len(), 100 * (32 << 10));
}

async fn services_are_reached(engine: &Arc<dyn EngineInstance>, host: &Arc<Host>) {
    let second = Duration::from_secs(10);
    assert_eq!(engine.call("echo", b"x".to_vec(), second).await.unwrap(), b"x");
    assert_eq!(engine.call("settings.get", b"x".to_vec(), second).await.unwrap(), b"got x");
    let error = engine.call("settings.odd", Vec::new(), second).await.unwrap_err();
    assert_eq!(error.code, "unknown_method");
    let (_, rows) = fetch(engine, "/sql?query").await;
    assert!(
        rows.contains("Bytes([0, 255])") && rows.contains("Null(Uuid)") && rows.contains("F64(0.5)"),
        "{rows}"
    );
    let (_, done) = fetch(engine, "/sql?commit").await;
    assert!(done.contains("rows_affected: 3, last_insert_id: -1"), "{done}");
    assert!(host.open.lock().unwrap().is_empty());
    assert_eq!(fetch(engine, "/log").await.1, "false", "trace is off");
    let logged = || host.logs.lock().unwrap().iter().any(|r| r.message == "logged" && r.fields[0].1 == "42");
    eventually("the record is at the host", logged).await;
}

async fn faults_become_problems(engine: &Arc<dyn EngineInstance>) {
    let (status, body) = fetch(engine, "/panic").await;
    assert_eq!((status, problem_code(&body).as_str()), (500, "engine_panicked"));
    let (status, body) = fetch(engine, "/odd-status").await;
    assert_eq!((status, problem_code(&body).as_str()), (500, "bad_answer"));
    let late = read(engine.handle(get("/pending"), &within(50)).await).await;
    assert_eq!((late.0, problem_code(&late.1).as_str()), (504, "deadline_exceeded"));
    assert!(late.1.contains("r-1"), "the request id is in the problem");
    let call = |method| engine.call(method, Vec::new(), Duration::from_millis(200));
    assert_eq!(call("panic").await.unwrap_err().code, "engine_panicked");
    assert_eq!(call("pending").await.unwrap_err().code, "deadline_exceeded");
    assert_eq!(call("settings.never").await.unwrap_err().code, "deadline_exceeded");
    assert_eq!(fetch(engine, "/hello").await.0, 200, "it serves on");
}
