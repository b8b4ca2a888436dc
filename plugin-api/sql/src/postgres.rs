//! Connections to PostgreSQL: a pool of the service's own, whose sessions carry the limits.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use plugin_api::abi::{SqlColumn, SqlDone, SqlRows, SqlType};
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Executor, PgPool, Postgres, Row,
    pool::PoolConnection,
    postgres::{PgArguments, PgConnectOptions, PgConnection, PgPoolOptions},
};

use crate::{Limits, SqlError, values};

pub(crate) struct PgPools {
    pool: PgPool,
}

/// A connection in use. Dropped in the middle of a statement or transaction it is closed, which rolls back.
pub(crate) struct PgLease {
    conn: Option<PoolConnection<Postgres>>,
    busy: bool,
}

impl PgPools {
    pub fn new(options: &PgConnectOptions, limits: &Limits) -> Self {
        let session = [
            ("statement_timeout", limits.statement.as_millis().to_string()),
            ("lock_timeout", limits.statement.as_millis().to_string()),
            ("idle_in_transaction_session_timeout", (limits.idle * 2).as_millis().to_string()),
            ("standard_conforming_strings", "on".to_owned()),
            ("timezone", "UTC".to_owned()),
        ];
        let options = options.clone().options(session).disable_statement_logging();
        let most = u32::try_from(limits.connections.max(2)).unwrap_or(u32::MAX);
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(limits.statement)
            .connect_lazy_with(options);
        Self { pool }
    }

    pub async fn take(&self, limit: Duration) -> Result<PgLease, SqlError> {
        let conn = tokio::time::timeout(limit, self.pool.acquire())
            .await
            .map_err(|_| SqlError::Busy(limit.as_millis()))??;
        Ok(PgLease { conn: Some(conn), busy: false })
    }

    /// Rows of a statement.
    pub async fn query(
        &self,
        lease: &mut PgLease,
        sql: Arc<str>,
        args: PgArguments,
        limits: &Limits,
    ) -> Result<SqlRows, SqlError> {
        lease
            .run(limits.statement, async |conn| {
                let mut answer = crate::rows::Answer::new(limits);
                let mut kinds: Vec<SqlType> = Vec::new();
                let mut rows = sqlx::query_with(AssertSqlSafe(sql), args).fetch(conn);
                while let Some(row) = rows.try_next().await? {
                    if kinds.is_empty() {
                        kinds = row.columns().iter().map(|c| values::postgres::kind(c.type_info())).collect();
                        let named = row.columns().iter().zip(&kinds);
                        answer.columns =
                            named.map(|(c, k)| SqlColumn { name: c.name().into(), kind: *k }).collect();
                    }
                    answer.row(kinds.iter().enumerate().map(|(i, k)| values::postgres::read(&row, i, *k)))?;
                }
                Ok(answer.done())
            })
            .await
    }

    /// Outcome of a statement without rows.
    pub async fn execute(
        &self,
        lease: &mut PgLease,
        sql: Arc<str>,
        args: PgArguments,
        limit: Duration,
    ) -> Result<SqlDone, SqlError> {
        lease
            .run(limit, async |conn| {
                let done = sqlx::query_with(AssertSqlSafe(sql), args).execute(conn).await?;
                Ok(SqlDone { rows_affected: done.rows_affected(), last_insert_id: 0 })
            })
            .await
    }
}

impl PgLease {
    /// Run something on the connection within `limit`.
    pub async fn run<T>(
        &mut self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        if self.busy {
            return Err(SqlError::Database(
                "the connection was given up in the middle of a statement".into(),
            ));
        }
        let conn = self.conn.as_mut().expect("a lease holds its connection until dropped");
        self.busy = true;
        let done = tokio::time::timeout(limit + Duration::from_millis(500), work(conn)).await;
        let result = done.map_err(|_| SqlError::Deadline(limit.as_millis()))?;
        self.busy = matches!(result, Err(SqlError::TooMuch { .. }));
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
            conn.execute(sql).await?;
            Ok(())
        })
        .await
    }

    /// Close instead of giving back: whatever is open is rolled back.
    pub fn discard(&mut self) {
        self.busy = true;
    }
}

impl Drop for PgLease {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        if self.busy {
            drop(conn.detach());
        }
    }
}
