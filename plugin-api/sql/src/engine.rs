//! The SQL of one engine: guard, limits and open transactions.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use chrono::{DateTime, Utc};
use plugin_api::{
    abi::{NO_TX, SqlBackend, SqlDone, SqlRows, SqlStatement, SqlValue, TxId},
    description::MigrationScript,
};

use crate::{
    SqlError,
    database::{Lease, Shared},
    guard::{Guard, Tables},
    ledger::{self, MigrationReport},
    transactions::{Root, Transactions, savepoint},
};

/// SQL for one loaded version of an engine. Clones share guard and transactions.
#[derive(Clone)]
pub struct EngineSql(Arc<Inner>);

pub(crate) struct Inner {
    shared: Arc<Shared>,
    guard: RwLock<Arc<Guard>>,
    pub transactions: Transactions,
}

impl EngineSql {
    pub(crate) fn new(shared: Arc<Shared>, tables: Tables) -> Self {
        let guard = RwLock::new(Arc::new(guard(&shared, tables)));
        Self(Arc::new(Inner { shared, guard, transactions: Transactions::default() }))
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    /// Which dialect statements are written in.
    pub fn backend(&self) -> SqlBackend {
        self.0.shared.backend()
    }

    /// Tables the engine may use now.
    pub fn tables(&self) -> BTreeSet<String> {
        self.guard().tables().own.clone()
    }

    /// Transactions open now.
    pub fn open_transactions(&self) -> usize {
        self.0.transactions.count()
    }

    fn guard(&self) -> Arc<Guard> {
        self.0.guard.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Apply the migrations that did not run yet, each in a transaction, and use the tables they made.
    ///
    /// # Errors
    /// [`SqlError::MigrationChanged`], [`SqlError::MigrationOrder`], or [`SqlError::Migration`] for the one that
    /// failed; those before it stay.
    pub async fn migrate(
        &self,
        scripts: &[MigrationScript],
        now: DateTime<Utc>,
    ) -> Result<MigrationReport, SqlError> {
        let shared = &self.0.shared;
        let report = ledger::migrate(shared, self.guard().tables(), scripts, now).await;
        let mut tables = self.guard().tables().clone();
        tables.own = ledger::tables(shared, &tables.engine).await?;
        *self.0.guard.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(guard(shared, tables));
        shared.reload_types().await?;
        report
    }

    /// Run a statement that returns rows.
    ///
    /// # Errors
    /// [`SqlError`], by what went wrong.
    pub async fn query(&self, tx: TxId, statement: &SqlStatement) -> Result<SqlRows, SqlError> {
        let verdict = self.judge(statement)?;
        let shared = &self.0.shared;
        if tx == NO_TX {
            let mut lease = shared.take(verdict.writes, shared.limits.statement).await?;
            return shared.query(&mut lease, verdict.sql, &statement.values).await;
        }
        let root = self.0.transactions.get(tx)?;
        self.inside(&root, tx, async |lease| shared.query(lease, verdict.sql, &statement.values).await).await
    }

    /// Run a statement without rows.
    ///
    /// # Errors
    /// [`SqlError`], by what went wrong.
    pub async fn execute(&self, tx: TxId, statement: &SqlStatement) -> Result<SqlDone, SqlError> {
        let verdict = self.judge(statement)?;
        let shared = &self.0.shared;
        let (values, limit): (&[SqlValue], _) = (&statement.values, shared.limits.statement);
        if tx == NO_TX {
            let mut lease = shared.take(verdict.writes, limit).await?;
            return shared.execute(&mut lease, verdict.sql, values, limit).await;
        }
        let root = self.0.transactions.get(tx)?;
        self.inside(&root, tx, async |lease| shared.execute(lease, verdict.sql, values, limit).await).await
    }

    fn judge(&self, statement: &SqlStatement) -> Result<crate::guard::Verdict, SqlError> {
        let most = self.0.shared.limits.values;
        if statement.values.len() > most {
            return Err(SqlError::Value(format!(
                "{} values; at most {most} a statement",
                statement.values.len()
            )));
        }
        self.guard().check(&statement.sql)
    }

    /// Begin a transaction, or a savepoint inside `parent`.
    ///
    /// # Errors
    /// [`SqlError::TooManyTransactions`], [`SqlError::NoTransaction`], or the database's.
    pub async fn begin(&self, parent: TxId) -> Result<TxId, SqlError> {
        let (shared, transactions) = (&self.0.shared, &self.0.transactions);
        if parent == NO_TX {
            if transactions.count() >= shared.limits.transactions {
                return Err(SqlError::TooManyTransactions(shared.limits.transactions));
            }
            let lease = shared.begin(shared.limits.statement).await?;
            return Ok(transactions.insert(lease));
        }
        let root = transactions.get(parent)?;
        let sql = format!("SAVEPOINT {}", savepoint(root.next_depth()));
        self.inside(&root, parent, async |lease| lease.control(&sql, shared.limits.statement).await).await?;
        Ok(transactions.insert_savepoint(&root))
    }

    /// Commit a transaction or release a savepoint.
    ///
    /// # Errors
    /// [`SqlError::NoTransaction`], or the database's; then everything was rolled back.
    pub async fn commit(&self, tx: TxId) -> Result<(), SqlError> {
        self.end(tx, "COMMIT", |name| vec![format!("RELEASE SAVEPOINT {name}")]).await
    }

    /// Roll a transaction back, or back to where a savepoint began.
    ///
    /// # Errors
    /// [`SqlError::NoTransaction`], or the database's; then everything was rolled back.
    pub async fn rollback(&self, tx: TxId) -> Result<(), SqlError> {
        self.end(tx, "ROLLBACK", rollback_to).await
    }

    async fn end(&self, tx: TxId, whole: &str, part: fn(&str) -> Vec<String>) -> Result<(), SqlError> {
        let limit = self.0.shared.limits.statement;
        let (root, depth) = self.0.transactions.remove(tx)?;
        let mut held = root.lease.lock().await;
        let Some(mut lease) = held.take() else { return Err(SqlError::NoTransaction(tx)) };
        let abandoned = root.take_abandoned();
        let mut steps: Vec<String> = abandoned.map(|d| rollback_to(&savepoint(d))).unwrap_or_default();
        if depth == 0 {
            steps.push(whole.to_owned())
        } else {
            steps.extend(part(&savepoint(depth)))
        }
        for step in steps {
            if let Err(error) = lease.control(&step, limit).await {
                // Closing the connection rolls back whatever is left.
                lease.discard();
                return Err(error);
            }
        }
        if depth > 0 {
            *held = Some(lease);
        }
        root.touch();
        Ok(())
    }

    /// Roll back without waiting.
    pub fn abandon(&self, tx: TxId) {
        self.0.transactions.abandon(tx, &self.0.shared.limits);
    }

    /// Roll back every open transaction: the version is gone.
    pub fn close(&self) {
        self.0.transactions.close(&self.0.shared.limits);
    }

    async fn inside<T>(
        &self,
        root: &Root,
        tx: TxId,
        work: impl AsyncFnOnce(&mut Lease) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let limit: Duration = self.0.shared.limits.statement;
        let mut held = tokio::time::timeout(limit, root.lease.lock())
            .await
            .map_err(|_| SqlError::Busy(limit.as_millis()))?;
        let lease = held.as_mut().ok_or(SqlError::NoTransaction(tx))?;
        root.depth(tx)?;
        root.touch();
        if let Some(depth) = root.take_abandoned() {
            for step in rollback_to(&savepoint(depth)) {
                lease.control(&step, limit).await?;
            }
        }
        let result = work(lease).await;
        root.touch();
        result
    }
}

fn rollback_to(name: &str) -> Vec<String> {
    vec![format!("ROLLBACK TO SAVEPOINT {name}"), format!("RELEASE SAVEPOINT {name}")]
}

fn guard(shared: &Shared, tables: Tables) -> Guard {
    Guard::new(shared.backend(), tables, shared.limits.verdicts, shared.limits.statement_bytes)
}
