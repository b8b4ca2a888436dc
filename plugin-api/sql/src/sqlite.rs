//! Connections to SQLite: one that writes, shared fairly by all engines, and a few that only read.
//!
//! Each connection has a progress handler that interrupts a statement past its deadline, even one that never
//! yields a row. Nothing else could: the statement runs on the driver's own thread.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use plugin_api::abi::{SqlColumn, SqlDone, SqlRows, SqlType};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, Row,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Limits, SqlError, values};

/// Virtual machine steps between two looks at the clock.
const STEPS: i32 = 2_000;

pub(crate) struct SqlitePools {
    pub writer: Arc<Slots>,
    pub readers: Arc<Slots>,
    declared: RwLock<HashMap<(String, String), SqlType>>,
}

/// Connections of one kind, at most so many.
pub(crate) struct Slots {
    options: SqliteConnectOptions,
    read_only: bool,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Slot>>,
    started: Instant,
}

struct Slot {
    conn: SqliteConnection,
    /// Milliseconds after `started`; what runs past it is interrupted.
    deadline: Arc<AtomicI64>,
}

/// A connection in use. Dropped in the middle of a statement it is closed, which rolls back.
pub(crate) struct SqliteLease {
    slot: Option<Slot>,
    slots: Arc<Slots>,
    busy: bool,
    _permit: OwnedSemaphorePermit,
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

impl SqlitePools {
    pub fn new(options: &SqliteConnectOptions, limits: &Limits) -> Self {
        let options = options
            .clone()
            .busy_timeout(limits.statement)
            .foreign_keys(true)
            .disable_statement_logging()
            .pragma("trusted_schema", "OFF");
        let started = Instant::now();
        let slots = |read_only, most: usize| {
            let permits = Arc::new(Semaphore::new(most.max(1)));
            Arc::new(Slots { options: options.clone(), read_only, permits, idle: Mutex::default(), started })
        };
        Self {
            writer: slots(false, 1),
            readers: slots(true, limits.connections),
            declared: RwLock::default(),
        }
    }

    /// Read the declared types of all columns again.
    pub async fn reload_types(&self, limit: Duration) -> Result<(), SqlError> {
        let mut lease = self.readers.take(limit).await?;
        let sql = "SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p \
                   WHERE m.type IN ('table', 'view')";
        let rows: Vec<(String, String, String)> =
            lease.run(limit, async |conn| Ok(sqlx::query_as(sql).fetch_all(conn).await?)).await?;
        let map = rows.into_iter().map(|(t, c, d)| ((t, c), values::sqlite::declared(&d))).collect();
        *self.declared.write().unwrap_or_else(PoisonError::into_inner) = map;
        Ok(())
    }

    fn columns(&self, row: &SqliteRow) -> Vec<SqlColumn> {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let kind = |c: &sqlx::sqlite::SqliteColumn| {
            let origin = c.origin();
            let origin = origin.table_column()?;
            let table = origin.table.rsplit('.').next().unwrap_or(&origin.table);
            declared.get(&(table.to_owned(), origin.name.to_string())).copied()
        };
        row.columns()
            .iter()
            .map(|c| SqlColumn { name: c.name().into(), kind: kind(c).unwrap_or(SqlType::Unknown) })
            .collect()
    }

    /// Rows of a statement.
    pub async fn query(
        &self,
        lease: &mut SqliteLease,
        sql: Arc<str>,
        args: SqliteArguments,
        limits: &Limits,
    ) -> Result<SqlRows, SqlError> {
        lease
            .run(limits.statement, async |conn| {
                let mut answer = crate::rows::Answer::new(limits);
                let mut kinds: Vec<SqlType> = Vec::new();
                let mut rows = sqlx::query_with(AssertSqlSafe(sql), args).fetch(conn);
                while let Some(row) = rows.try_next().await? {
                    if kinds.is_empty() {
                        answer.columns = self.columns(&row);
                        kinds = answer.columns.iter().map(|c| c.kind).collect();
                    }
                    answer.row(kinds.iter().enumerate().map(|(i, k)| values::sqlite::read(&row, i, *k)))?;
                }
                Ok(answer.done())
            })
            .await
    }

    /// Outcome of a statement without rows.
    pub async fn execute(
        &self,
        lease: &mut SqliteLease,
        sql: Arc<str>,
        args: SqliteArguments,
        limit: Duration,
    ) -> Result<SqlDone, SqlError> {
        lease
            .run(limit, async |conn| {
                let done = sqlx::query_with(AssertSqlSafe(sql), args).execute(conn).await?;
                Ok(SqlDone { rows_affected: done.rows_affected(), last_insert_id: done.last_insert_rowid() })
            })
            .await
    }
}

impl Slots {
    /// A connection, within `limit`.
    pub async fn take(self: &Arc<Self>, limit: Duration) -> Result<SqliteLease, SqlError> {
        let permit = tokio::time::timeout(limit, self.permits.clone().acquire_owned())
            .await
            .map_err(|_| SqlError::Busy(limit.as_millis()))?
            .map_err(|_| SqlError::Busy(0))?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let slot = match idle {
            Some(slot) => slot,
            None => self.open().await?,
        };
        Ok(SqliteLease { slot: Some(slot), slots: self.clone(), busy: false, _permit: permit })
    }

    async fn open(&self) -> Result<Slot, SqlError> {
        let options = if self.read_only {
            self.options.clone().pragma("query_only", "ON")
        } else {
            self.options.clone()
        };
        let mut conn = options.connect().await?;
        let deadline = Arc::new(AtomicI64::new(i64::MAX));
        let (seen, started) = (deadline.clone(), self.started);
        conn.lock_handle()
            .await?
            .set_progress_handler(STEPS, move || millis(started.elapsed()) < seen.load(Ordering::Relaxed));
        Ok(Slot { conn, deadline })
    }
}

impl SqliteLease {
    /// Run something on the connection within `limit`.
    pub async fn run<T>(
        &mut self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        if self.busy {
            return Err(SqlError::Database(
                "the connection was given up in the middle of a statement".into(),
            ));
        }
        let slot = self.slot.as_mut().expect("a lease holds its connection until dropped");
        let until = millis(self.slots.started.elapsed()).saturating_add(millis(limit));
        slot.deadline.store(until, Ordering::Relaxed);
        self.busy = true;
        // The handler interrupts; the timeout is for a wait that it does not see, such as a lock.
        let grace = limit + Duration::from_millis(500);
        let done = tokio::time::timeout(grace, work(&mut slot.conn)).await;
        let result = done.map_err(|_| SqlError::Deadline(limit.as_millis()))?;
        self.busy = false;
        slot.deadline.store(i64::MAX, Ordering::Relaxed);
        result.map_err(|e| match e {
            SqlError::Deadline(_) => SqlError::Deadline(limit.as_millis()),
            SqlError::Busy(_) => SqlError::Busy(limit.as_millis()),
            e => e,
        })
    }

    /// Run a statement of the service itself, such as BEGIN.
    pub async fn control(&mut self, sql: &str, limit: Duration) -> Result<(), SqlError> {
        let sql = AssertSqlSafe(sql.to_owned());
        self.run(limit, async |conn| {
            sqlx::query(sql).execute(conn).await?;
            Ok(())
        })
        .await
    }

    /// Close instead of giving back: whatever is open is rolled back.
    pub fn discard(&mut self) {
        self.busy = true;
    }
}

impl Drop for SqliteLease {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        if self.busy {
            slot.deadline.store(i64::MIN, Ordering::Relaxed);
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { slot.conn.close().await });
            }
        } else {
            self.slots.idle.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
        }
    }
}
