//! The host's services, as the engine's process sees them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use plugin_api::EngineError;
use plugin_api::abi::{SqlBackend, SqlDone, SqlRows, SqlStatement, TxId};
use tokio::sync::{Semaphore, oneshot};

use crate::wire::frame::{Blob, Frame, SqlAnswer, SqlOp};
use crate::wire::link::Link;
use crate::{HostService, LogRecord, LogSink, SqlService};

/// Calls to the host that may run at once; more wait their turn.
const MAX_ASKED: usize = 512;

enum Waiting {
    Service(oneshot::Sender<Result<Blob, EngineError>>),
    Sql(oneshot::Sender<Result<SqlAnswer, EngineError>>),
}

/// Asks the host.
pub(super) struct Asker {
    link: Arc<Link>,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, Waiting>>,
    room: Semaphore,
}

/// A question; dropping it before the answer cancels it.
struct Question<'a> {
    asker: &'a Asker,
    id: u64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if self.asker.waiting().remove(&self.id).is_some() {
            let _ = self.asker.link.send(&Frame::Forget { id: self.id });
        }
    }
}

fn no_host() -> EngineError {
    EngineError::new("host_gone", "The host does not answer any longer.")
}

impl Asker {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, next: AtomicU64::new(1), waiting: Mutex::default(), room: Semaphore::new(MAX_ASKED) }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<T>(
        &self,
        waiting: impl FnOnce(oneshot::Sender<Result<T, EngineError>>) -> Waiting,
        frame: impl FnOnce(u64) -> Frame,
    ) -> Result<T, EngineError> {
        let _room = self.room.acquire().await.map_err(|_| no_host())?;
        let id = self.next.fetch_add(1, Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting().insert(id, waiting(answer));
        let _question = Question { asker: self, id };
        let sent = self.link.send(&frame(id));
        sent.map_err(|e| EngineError::new("too_large", format!("The call was not sent: {e}.")))?;
        answered.await.unwrap_or_else(|_| Err(no_host()))
    }

    async fn sql(&self, op: SqlOp) -> Result<SqlAnswer, EngineError> {
        self.ask(Waiting::Sql, |id| Frame::Sql { id, op }).await
    }

    /// The host's reply to a service call.
    pub(super) fn replied(&self, id: u64, result: Result<Blob, EngineError>) {
        if let Some(Waiting::Service(answer)) = self.waiting().remove(&id) {
            let _ = answer.send(result);
        }
    }

    /// The host's reply to an SQL call.
    pub(super) fn sql_replied(&self, id: u64, result: Result<SqlAnswer, EngineError>) {
        let waiting = self.waiting().remove(&id);
        match (waiting, result) {
            (Some(Waiting::Sql(answer)), result) => {
                // Nobody waits any longer: a transaction that has just begun must not stay open.
                if let Err(Ok(SqlAnswer::Begun(tx))) = answer.send(result) {
                    let _ = self.link.send(&Frame::SqlAbandon { tx });
                }
            }
            (_, Ok(SqlAnswer::Begun(tx))) => drop(self.link.send(&Frame::SqlAbandon { tx })),
            _ => {}
        }
    }
}

/// A granted service.
pub(super) struct ServiceProxy {
    name: String,
    asker: Arc<Asker>,
}

impl ServiceProxy {
    pub(super) fn new(name: String, asker: Arc<Asker>) -> Self {
        Self { name, asker }
    }
}

impl HostService for ServiceProxy {
    fn call(&self, method: String, payload: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>> {
        Box::pin(async move {
            let (name, payload) = (self.name.clone(), payload.into());
            let frame = |id| Frame::Service { id, name, method, payload };
            self.asker.ask(Waiting::Service, frame).await.map(Into::into)
        })
    }
}

/// SQL.
pub(super) struct SqlProxy {
    backend: SqlBackend,
    asker: Arc<Asker>,
}

impl SqlProxy {
    pub(super) fn new(backend: SqlBackend, asker: Arc<Asker>) -> Self {
        Self { backend, asker }
    }
}

fn odd_answer() -> EngineError {
    EngineError::new("internal", "The host gave an answer of another kind.")
}

impl SqlService for SqlProxy {
    fn backend(&self) -> SqlBackend {
        self.backend
    }

    fn query(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlRows, EngineError>> {
        Box::pin(async move {
            match self.asker.sql(SqlOp::Query(tx, statement)).await? {
                SqlAnswer::Rows(rows) => Ok(rows),
                _ => Err(odd_answer()),
            }
        })
    }

    fn execute(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlDone, EngineError>> {
        Box::pin(async move {
            match self.asker.sql(SqlOp::Execute(tx, statement)).await? {
                SqlAnswer::Done(done) => Ok(done),
                _ => Err(odd_answer()),
            }
        })
    }

    fn begin(&self, parent: TxId) -> BoxFuture<'_, Result<TxId, EngineError>> {
        Box::pin(async move {
            match self.asker.sql(SqlOp::Begin(parent)).await? {
                SqlAnswer::Begun(tx) => Ok(tx),
                _ => Err(odd_answer()),
            }
        })
    }

    fn commit(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move { self.asker.sql(SqlOp::Commit(tx)).await.map(|_| ()) })
    }

    fn rollback(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move { self.asker.sql(SqlOp::Rollback(tx)).await.map(|_| ()) })
    }

    fn abandon(&self, tx: TxId) {
        let _ = self.asker.link.send(&Frame::SqlAbandon { tx });
    }
}

/// The host's log.
pub(super) struct LogProxy {
    link: Arc<Link>,
    level: AtomicU8,
}

impl LogProxy {
    pub(super) fn new(link: Arc<Link>, level: u8) -> Self {
        Self { link, level: AtomicU8::new(level) }
    }

    /// Keep records up to this level.
    pub(super) fn set_level(&self, level: u8) {
        self.level.store(level, Relaxed);
    }
}

impl LogSink for LogProxy {
    fn enabled(&self, level: u8, _target: &str) -> bool {
        level <= self.level.load(Relaxed)
    }

    fn log(&self, record: LogRecord) {
        if self.enabled(record.level, &record.target) {
            self.link.send_log(&Frame::Log(record));
        }
    }
}
