//! The host's database as engines share it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use plugin_api::abi::{SqlBackend, SqlDone, SqlRows, SqlValue};
use sqlx::{PgPool, SqlitePool, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use crate::{
    EngineSql, Limits, SqlError,
    engine::Inner,
    guard::Tables,
    ledger,
    postgres::{PgLease, PgPools},
    sqlite::{SqliteLease, SqlitePools},
    values,
};

/// Connections for engines, apart from the host's own pools but to the same database. Clones share them.
#[derive(Clone)]
pub struct Database(Arc<Shared>);

pub(crate) struct Shared {
    pub pools: Pools,
    pub limits: Limits,
    engines: Mutex<Vec<Weak<Inner>>>,
}

pub(crate) enum Pools {
    Sqlite(SqlitePools),
    Postgres(PgPools),
}

/// A connection of either database.
pub(crate) enum Lease {
    Sqlite(SqliteLease),
    Postgres(PgLease),
}

impl Database {
    /// Engines' access to the SQLite file that `pool` opens.
    ///
    /// # Errors
    /// When the ledger's tables cannot be made.
    pub async fn sqlite(pool: &SqlitePool, limits: Limits) -> Result<Self, SqlError> {
        Self::open_sqlite(&pool.connect_options(), limits).await
    }

    /// Engines' access to a SQLite file. In-memory databases are private to a connection and will not do.
    ///
    /// # Errors
    /// As [`Database::sqlite`].
    pub async fn open_sqlite(options: &SqliteConnectOptions, limits: Limits) -> Result<Self, SqlError> {
        Self::open(Pools::Sqlite(SqlitePools::new(options, &limits)), limits).await
    }

    /// Engines' access to the PostgreSQL database that `pool` is connected to.
    ///
    /// # Errors
    /// As [`Database::sqlite`].
    pub async fn postgres(pool: &PgPool, limits: Limits) -> Result<Self, SqlError> {
        Self::open_postgres(&pool.connect_options(), limits).await
    }

    /// Engines' access to a PostgreSQL database.
    ///
    /// # Errors
    /// As [`Database::sqlite`].
    pub async fn open_postgres(options: &PgConnectOptions, limits: Limits) -> Result<Self, SqlError> {
        Self::open(Pools::Postgres(PgPools::new(options, &limits)), limits).await
    }

    async fn open(pools: Pools, limits: Limits) -> Result<Self, SqlError> {
        let shared = Arc::new(Shared { pools, limits, engines: Mutex::default() });
        ledger::create(&shared).await?;
        shared.reload_types().await?;
        sweep(Arc::downgrade(&shared));
        Ok(Self(shared))
    }

    /// Which dialect statements are written in.
    pub fn backend(&self) -> SqlBackend {
        self.0.backend()
    }

    /// The service for one version of an engine. `others` are the ids of all engines known to the host.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn engine(
        &self,
        engine: &str,
        views: BTreeSet<String>,
        others: BTreeSet<String>,
    ) -> Result<EngineSql, SqlError> {
        let own = ledger::tables(&self.0, engine).await?;
        let tables = Tables { engine: engine.to_owned(), own, views, others };
        let sql = EngineSql::new(self.0.clone(), tables);
        let mut engines = self.0.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.retain(|e| e.strong_count() > 0);
        engines.push(sql.downgrade());
        Ok(sql)
    }

    /// Tables that an engine's migrations created.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn tables(&self, engine: &str) -> Result<BTreeSet<String>, SqlError> {
        ledger::tables(&self.0, engine).await
    }

    /// Remove an engine's tables and its ledger, for an uninstall with purge.
    ///
    /// # Errors
    /// When the database refuses; then nothing is removed.
    pub async fn purge(&self, engine: &str) -> Result<(), SqlError> {
        ledger::purge(&self.0, engine).await
    }

    /// Write a table as JSON lines, a line per row, to `sink`. Bytes are base64, UUIDs and times text.
    ///
    /// # Errors
    /// When `table` is not the engine's, the database fails, or the sink does.
    pub async fn export(
        &self,
        engine: &str,
        table: &str,
        sink: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
    ) -> Result<u64, SqlError> {
        crate::export::table(&self.0, engine, table, sink).await
    }
}

impl Shared {
    pub fn backend(&self) -> SqlBackend {
        match self.pools {
            Pools::Sqlite(_) => SqlBackend::Sqlite,
            Pools::Postgres(_) => SqlBackend::Postgres,
        }
    }

    pub async fn reload_types(&self) -> Result<(), SqlError> {
        match &self.pools {
            Pools::Sqlite(pools) => pools.reload_types(self.limits.statement).await,
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// A connection, for writing or only for reading.
    pub async fn take(&self, writes: bool, limit: Duration) -> Result<Lease, SqlError> {
        match &self.pools {
            Pools::Sqlite(p) if writes => p.writer.take(limit).await.map(Lease::Sqlite),
            Pools::Sqlite(p) => p.readers.take(limit).await.map(Lease::Sqlite),
            Pools::Postgres(p) => p.take(limit).await.map(Lease::Postgres),
        }
    }

    pub async fn query(
        &self,
        lease: &mut Lease,
        sql: Arc<str>,
        values: &[SqlValue],
    ) -> Result<SqlRows, SqlError> {
        match (&self.pools, lease) {
            (Pools::Sqlite(p), Lease::Sqlite(l)) => {
                p.query(l, sql, values::sqlite::bind(values)?, &self.limits).await
            }
            (Pools::Postgres(p), Lease::Postgres(l)) => {
                p.query(l, sql, values::postgres::bind(values)?, &self.limits).await
            }
            _ => Err(SqlError::Database("a connection of the other database".into())),
        }
    }

    pub async fn execute(
        &self,
        lease: &mut Lease,
        sql: Arc<str>,
        values: &[SqlValue],
        limit: Duration,
    ) -> Result<SqlDone, SqlError> {
        match (&self.pools, lease) {
            (Pools::Sqlite(p), Lease::Sqlite(l)) => {
                p.execute(l, sql, values::sqlite::bind(values)?, limit).await
            }
            (Pools::Postgres(p), Lease::Postgres(l)) => {
                p.execute(l, sql, values::postgres::bind(values)?, limit).await
            }
            _ => Err(SqlError::Database("a connection of the other database".into())),
        }
    }

    /// Begin a transaction that may write at once.
    pub async fn begin(&self, limit: Duration) -> Result<Lease, SqlError> {
        let mut lease = self.take(true, limit).await?;
        let sql = match self.backend() {
            SqlBackend::Sqlite => "BEGIN IMMEDIATE",
            SqlBackend::Postgres => "BEGIN",
        };
        lease.control(sql, limit).await?;
        Ok(lease)
    }

    fn engines(&self) -> Vec<Arc<Inner>> {
        let engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Lease {
    pub async fn control(&mut self, sql: &str, limit: Duration) -> Result<(), SqlError> {
        match self {
            Self::Sqlite(l) => l.control(sql, limit).await,
            Self::Postgres(l) => l.control(sql, limit).await,
        }
    }

    /// Close instead of giving back.
    pub fn discard(&mut self) {
        match self {
            Self::Sqlite(l) => l.discard(),
            Self::Postgres(l) => l.discard(),
        }
    }

    /// End the transaction; on any doubt the connection is closed, which rolls back.
    pub async fn rollback(mut self, limit: Duration) {
        if self.control("ROLLBACK", limit).await.is_err() {
            self.discard();
        }
    }
}

/// Rolls back transactions that were forgotten, until the database is dropped.
fn sweep(shared: Weak<Shared>) {
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        loop {
            tick.tick().await;
            let Some(shared) = shared.upgrade() else { return };
            for engine in shared.engines() {
                engine.transactions.sweep(&shared.limits);
            }
        }
    });
}
