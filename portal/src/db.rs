//! The database: SQLite in the data directory, or PostgreSQL by URL.
//!
//! SQLite has one writer: [`Db::begin`] queues for it, and starts with `BEGIN IMMEDIATE`, so that a transaction never
//! fails half-way for want of the lock. While you hold a transaction, use it for everything.

use std::{path::Path, time::Duration};

use anyhow::Context;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{config::DatabaseConfig, migrations::Migrator};

/// Connections to the portal's database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
}

impl Db {
    /// Connect by configuration: `database.url` when set, else `portal.db` in `data_dir`.
    pub async fn connect(config: &DatabaseConfig, data_dir: &Path) -> anyhow::Result<Self> {
        if config.url.is_empty() {
            return Self::sqlite(&data_dir.join("portal.db"), config).await;
        }
        let mut options = ConnectOptions::new(&config.url);
        options
            .max_connections(config.max_connections)
            .acquire_timeout(Duration::from_secs(config.acquire_timeout_s))
            .connect_timeout(Duration::from_secs(10))
            .set_application_name("sysmanage-portal")
            .sqlx_logging(false);
        let pool = Database::connect(options).await.context("PostgreSQL (database.url) does not answer")?;
        Ok(Self { read: pool.clone(), write: pool })
    }

    async fn sqlite(path: &Path, config: &DatabaseConfig) -> anyhow::Result<Self> {
        use sqlx::ConnectOptions as _;
        // What is paid must survive a power cut: every commit reaches the disk.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .disable_statement_logging();
        let pool = || SqlitePoolOptions::new().acquire_timeout(Duration::from_secs(config.acquire_timeout_s));
        let write = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .with_context(|| format!("the database {} does not open", path.display()))?;
        let read = pool()
            .max_connections(config.max_connections)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .with_context(|| format!("the database {} does not open for reading", path.display()))?;
        Ok(Self { read: read.into(), write: write.into() })
    }

    /// Bring the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        Migrator::up(&self.write, None).await
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
        let sqlite = matches!(self.write.get_database_backend(), DbBackend::Sqlite);
        let immediate = sqlite.then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..Default::default() };
        self.write.begin_with_options(options).await
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
