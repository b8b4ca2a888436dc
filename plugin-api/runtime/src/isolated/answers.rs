//! Answers what an engine's process asks of the host. Only granted services are in reach, only its own transactions.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_api::EngineError;
use plugin_api::abi::{NO_TX, TxId};
use tokio::task::AbortHandle;

use crate::wire::frame::{Blob, Frame, SqlAnswer, SqlOp};
use crate::wire::link::{Link, SendError};
use crate::{HostServices, SqlService};

/// Service calls of one process that may run at once.
const MAX_ASKED: usize = 1024;

/// Answers to one process.
pub(crate) struct Answers {
    link: Arc<Link>,
    services: HostServices,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    running: HashMap<u64, AbortHandle>,
    transactions: HashSet<TxId>,
    ended: bool,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reply(link: &Link, id: u64, result: Result<Blob, EngineError>) {
    if link.send(&Frame::Reply { id, result }) == Err(SendError::TooLarge) {
        let _ = link.send(&Frame::Reply { id, result: Err(too_large()) });
    }
}

fn sql_reply(link: &Link, id: u64, result: Result<SqlAnswer, EngineError>) {
    if link.send(&Frame::SqlReply { id, result }) == Err(SendError::TooLarge) {
        let _ = link.send(&Frame::SqlReply { id, result: Err(too_large()) });
    }
}

fn too_large() -> EngineError {
    EngineError::new("too_large", "The answer is larger than 64 MiB; ask for less.")
}

fn too_many() -> EngineError {
    EngineError::new("too_many_calls", "The engine asks too much of the host at once.")
}

impl Answers {
    pub(crate) fn new(link: Arc<Link>, services: HostServices) -> Self {
        Self { link, services, state: Arc::default() }
    }

    /// Run `work` as a task under a number of the worker's, unless there are too many. The map is locked while the task
    /// starts, so that it cannot end before it is in there.
    fn run(&self, id: u64, work: impl Future<Output = ()> + Send + 'static) -> Result<(), EngineError> {
        let mut state = lock(&self.state);
        if state.ended || state.running.len() >= MAX_ASKED || state.running.contains_key(&id) {
            return Err(too_many());
        }
        let shared = self.state.clone();
        let task = tokio::spawn(async move {
            work.await;
            lock(&shared).running.remove(&id);
        });
        state.running.insert(id, task.abort_handle());
        Ok(())
    }

    /// A service call.
    pub(crate) fn service(&self, id: u64, name: &str, method: String, payload: Blob) {
        let Some((_, service)) = self.services.services.iter().find(|(n, _)| n == name) else {
            let refusal = format!("The service `{name}` is not granted to this engine.");
            return reply(&self.link, id, Err(EngineError::new("not_granted", refusal)));
        };
        let (service, link) = (service.clone(), self.link.clone());
        let work = async move {
            let result = service.call(method, payload.into()).await;
            reply(&link, id, result.map(Blob::from));
        };
        if let Err(e) = self.run(id, work) {
            reply(&self.link, id, Err(e));
        }
    }

    /// An SQL call.
    pub(crate) fn sql(&self, id: u64, op: SqlOp) {
        let Some(sql) = self.services.sql.clone() else {
            let refusal = EngineError::new("not_granted", "SQL is not granted to this engine.");
            return sql_reply(&self.link, id, Err(refusal));
        };
        let (link, state) = (self.link.clone(), self.state.clone());
        let work = async move {
            let result = run_sql(&*sql, &state, op).await;
            sql_reply(&link, id, result);
        };
        if let Err(e) = self.run(id, work) {
            sql_reply(&self.link, id, Err(e));
        }
    }

    /// Roll a transaction back without waiting.
    pub(crate) fn abandon(&self, tx: TxId) {
        if let Some(sql) = &self.services.sql
            && lock(&self.state).transactions.remove(&tx)
        {
            sql.abandon(tx);
        }
    }

    /// Cancel a call whose answer is no longer wanted.
    pub(crate) fn forget(&self, id: u64) {
        if let Some(task) = lock(&self.state).running.remove(&id) {
            task.abort();
        }
    }

    /// The process has ended: cancel its calls, abandon its transactions.
    pub(crate) fn end(&self) {
        let (running, transactions) = {
            let mut state = lock(&self.state);
            state.ended = true;
            (std::mem::take(&mut state.running), std::mem::take(&mut state.transactions))
        };
        running.into_values().for_each(|task| task.abort());
        if let Some(sql) = &self.services.sql {
            transactions.into_iter().for_each(|tx| sql.abandon(tx));
        }
    }
}

async fn run_sql(sql: &dyn SqlService, state: &Mutex<State>, op: SqlOp) -> Result<SqlAnswer, EngineError> {
    let (SqlOp::Query(tx, _)
    | SqlOp::Execute(tx, _)
    | SqlOp::Begin(tx)
    | SqlOp::Commit(tx)
    | SqlOp::Rollback(tx)) = op;
    if tx != NO_TX && !lock(state).transactions.contains(&tx) {
        return Err(EngineError::new("unknown_transaction", "This engine has no such transaction."));
    }
    match op {
        SqlOp::Query(tx, statement) => sql.query(tx, statement).await.map(SqlAnswer::Rows),
        SqlOp::Execute(tx, statement) => sql.execute(tx, statement).await.map(SqlAnswer::Done),
        SqlOp::Begin(parent) => {
            let tx = sql.begin(parent).await?;
            let mut state = lock(state);
            if state.ended {
                sql.abandon(tx);
            } else {
                state.transactions.insert(tx);
            }
            Ok(SqlAnswer::Begun(tx))
        }
        SqlOp::Commit(tx) => {
            let done = sql.commit(tx).await;
            lock(state).transactions.remove(&tx);
            done.map(|()| SqlAnswer::Ended)
        }
        SqlOp::Rollback(tx) => {
            let done = sql.rollback(tx).await;
            lock(state).transactions.remove(&tx);
            done.map(|()| SqlAnswer::Ended)
        }
    }
}
