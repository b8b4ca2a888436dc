//! The database: SQLite in the data directory, or PostgreSQL by URL.
//!
//! SQLite has one writer: [`Db::begin`] queues fairly for it, and starts with `BEGIN IMMEDIATE`, so that a
//! transaction never fails half-way for want of the lock. While you hold a transaction, use it for everything:
//! asking for [`Db::write`] then waits for yourself.

use std::{path::Path, time::Duration};

use anyhow::Context;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::config::DatabaseConfig;

/// Connections to the host's database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
}

/// The raw pools, for the engines' SQL service.
#[derive(Debug, Clone)]
pub enum RawPools {
    /// SQLite: reads run beside each other, writes queue for the one connection of `write`.
    Sqlite {
        /// Read-only connections.
        read: sqlx::SqlitePool,
        /// The writer.
        write: sqlx::SqlitePool,
    },
    /// PostgreSQL.
    Postgres(sqlx::PgPool),
}

impl Db {
    /// Connect by configuration: `database.url` when set, else `sysmanage.db` in `data_dir`.
    pub async fn connect(config: &DatabaseConfig, data_dir: &Path) -> anyhow::Result<Self> {
        match config.url.as_str() {
            "" => Self::sqlite(&data_dir.join("sysmanage.db"), config).await,
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Self::postgres(url, config).await
            }
            url => {
                let path = url.strip_prefix("sqlite:").map(|p| p.trim_start_matches("//")).with_context(|| {
                    "database.url must begin with postgres:// or sqlite:; leave it out for SQLite in the data directory"
                })?;
                Self::sqlite(Path::new(path), config).await
            }
        }
    }

    async fn sqlite(path: &Path, config: &DatabaseConfig) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        use sqlx::ConnectOptions as _;
        let options = options.disable_statement_logging();
        let pool = || SqlitePoolOptions::new().acquire_timeout(Duration::from_secs(config.acquire_timeout_s));
        let write = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .with_context(|| format!("the database {} does not open", path.display()))?;
        let read = pool()
            .max_connections(config.max_connections.max(2))
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .with_context(|| format!("the database {} does not open for reading", path.display()))?;
        Ok(Self { read: read.into(), write: write.into() })
    }

    async fn postgres(url: &str, config: &DatabaseConfig) -> anyhow::Result<Self> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(config.max_connections.max(2))
            .acquire_timeout(Duration::from_secs(config.acquire_timeout_s))
            .connect_timeout(Duration::from_secs(10))
            .set_application_name("sysmanage")
            .sqlx_logging(false);
        let pool = Database::connect(options).await.context("PostgreSQL (database.url) does not answer")?;
        Ok(Self { read: pool.clone(), write: pool })
    }

    /// Bring the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        Migrator::up(&self.write, None).await
    }

    /// Names of migrations that have not run.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, DbErr> {
        Ok(Migrator::get_pending_migrations(&self.write).await?.iter().map(|m| m.name().to_owned()).collect())
    }

    /// Tell `watch` of each statement that reads, with its values: to look at its plan.
    pub fn on_read(&mut self, watch: impl Fn(&sea_orm::Statement) + Send + Sync + 'static) {
        self.read.set_metric_callback(move |info| watch(info.statement));
    }

    /// For queries. On SQLite these connections refuse to write.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For a single statement that writes, outside a transaction.
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// A transaction that may write. Waits for the writer, within `database.acquire_timeout_s`.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let immediate =
            matches!(self.backend(), DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..Default::default() };
        self.write.begin_with_options(options).await
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// The raw pools, for the engines' SQL service.
    pub fn raw(&self) -> RawPools {
        match self.backend() {
            DbBackend::Postgres => RawPools::Postgres(self.write.get_postgres_connection_pool().clone()),
            _ => RawPools::Sqlite {
                read: self.read.get_sqlite_connection_pool().clone(),
                write: self.write.get_sqlite_connection_pool().clone(),
            },
        }
    }

    /// Whether the database answers, within two seconds.
    pub async fn ping(&self) -> Result<(), DbErr> {
        match tokio::time::timeout(Duration::from_secs(2), self.read.execute_unprepared("SELECT 1")).await {
            Ok(answer) => answer.map(drop),
            Err(_) => Err(DbErr::Custom("the database did not answer within 2 s".into())),
        }
    }

    /// Close every connection.
    pub async fn close(&self) {
        for connection in [&self.read, &self.write] {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(%error, "a database connection did not close");
            }
        }
    }
}
