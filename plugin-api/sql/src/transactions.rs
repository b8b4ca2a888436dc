//! Open transactions of one engine, by number: each has its own connection, nested ones are savepoints.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use plugin_api::abi::TxId;
use tokio::sync::Mutex as AsyncMutex;

use crate::{Limits, SqlError, database::Lease};

/// A transaction with its savepoints.
pub(crate) struct Root {
    /// `None` once ended.
    pub lease: AsyncMutex<Option<Lease>>,
    /// Numbers from the outside in, as they are open; the first is the transaction, the rest savepoints.
    levels: Mutex<Levels>,
    began: Instant,
    used: Mutex<Instant>,
}

#[derive(Default)]
struct Levels {
    open: Vec<TxId>,
    /// Depths to roll back to before anything else runs, because their owner was dropped.
    abandoned: Option<usize>,
}

#[derive(Default)]
pub(crate) struct Transactions {
    open: Mutex<HashMap<TxId, Arc<Root>>>,
    next: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Name of the savepoint at a depth of 1 or more.
pub(crate) fn savepoint(depth: usize) -> String {
    format!("engine_sp_{depth}")
}

impl Root {
    fn new(lease: Lease, id: TxId) -> Self {
        Self {
            lease: AsyncMutex::new(Some(lease)),
            levels: Mutex::new(Levels { open: vec![id], abandoned: None }),
            began: Instant::now(),
            used: Mutex::new(Instant::now()),
        }
    }

    /// Note that it is in use.
    pub fn touch(&self) {
        *lock(&self.used) = Instant::now();
    }

    /// Depth of a number: 0 for the transaction itself.
    pub fn depth(&self, id: TxId) -> Result<usize, SqlError> {
        lock(&self.levels).open.iter().position(|&o| o == id).ok_or(SqlError::NoTransaction(id))
    }

    /// Depth the next savepoint gets.
    pub fn next_depth(&self) -> usize {
        lock(&self.levels).open.len()
    }

    /// The savepoint to roll back to before anything else, when one was dropped.
    pub fn take_abandoned(&self) -> Option<usize> {
        lock(&self.levels).abandoned.take()
    }
}

impl Transactions {
    /// How many transactions are open, savepoints aside.
    pub fn count(&self) -> usize {
        lock(&self.open).iter().filter(|(id, root)| root.depth(**id).is_ok_and(|d| d == 0)).count()
    }

    /// Keep a new transaction.
    pub fn insert(&self, lease: Lease) -> TxId {
        let id = self.number();
        lock(&self.open).insert(id, Arc::new(Root::new(lease, id)));
        id
    }

    /// Keep a new savepoint of `root`.
    pub fn insert_savepoint(&self, root: &Arc<Root>) -> TxId {
        let id = self.number();
        lock(&root.levels).open.push(id);
        lock(&self.open).insert(id, root.clone());
        id
    }

    fn number(&self) -> TxId {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The transaction behind a number.
    pub fn get(&self, id: TxId) -> Result<Arc<Root>, SqlError> {
        lock(&self.open).get(&id).cloned().ok_or(SqlError::NoTransaction(id))
    }

    /// Forget a number and all inside it; answers its depth.
    pub fn remove(&self, id: TxId) -> Result<(Arc<Root>, usize), SqlError> {
        let root = self.get(id)?;
        let depth = root.depth(id)?;
        let gone = lock(&root.levels).open.split_off(depth);
        let mut open = lock(&self.open);
        gone.iter().for_each(|id| {
            open.remove(id);
        });
        Ok((root, depth))
    }

    /// Forget a number without waiting. A transaction is rolled back in the background, a savepoint before
    /// the next statement.
    pub fn abandon(&self, id: TxId, limits: &Limits) {
        let Ok((root, depth)) = self.remove(id) else { return };
        if depth > 0 {
            let mut levels = lock(&root.levels);
            levels.abandoned = Some(levels.abandoned.map_or(depth, |d| d.min(depth)));
        } else {
            end(root, limits);
        }
    }

    /// Roll back what was idle or open for too long.
    pub fn sweep(&self, limits: &Limits) {
        let late: Vec<TxId> = lock(&self.open)
            .iter()
            .filter(|(_, root)| {
                let unused = root.lease.try_lock().is_ok() && lock(&root.used).elapsed() > limits.idle;
                unused || root.began.elapsed() > limits.transaction
            })
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            let Ok(root) = self.get(id) else { continue };
            if root.depth(id).is_ok_and(|d| d == 0) {
                tracing::warn!(sql.transaction = id, "rolled back a transaction that an engine left open");
                self.abandon(id, limits);
            }
        }
    }

    /// Roll back everything.
    pub fn close(&self, limits: &Limits) {
        let all: Vec<TxId> = lock(&self.open).keys().copied().collect();
        all.into_iter().for_each(|id| self.abandon(id, limits));
    }
}

fn end(root: Arc<Root>, limits: &Limits) {
    let limit = limits.statement;
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        if let Some(mut lease) = root.lease.try_lock().ok().and_then(|mut l| l.take()) {
            lease.discard();
        }
        return;
    };
    runtime.spawn(async move {
        if let Some(lease) = root.lease.lock().await.take() {
            lease.rollback(limit).await;
        }
    });
}
