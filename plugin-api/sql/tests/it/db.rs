//! A database of its own for each test.

use std::collections::BTreeSet;

use plugin_api::{
    abi::{SqlBackend, SqlRows, SqlStatement, SqlValue},
    description::MigrationScript,
};
use plugin_sql::{Database, EngineSql, Limits, SqlError};
use sqlx::{ConnectOptions, Connection, Executor};

pub struct Db {
    pub db: Database,
    pub backend: SqlBackend,
    _dir: Option<tempfile::TempDir>,
}

pub fn statement(sql: &str, values: impl IntoIterator<Item = SqlValue>) -> SqlStatement {
    SqlStatement { sql: sql.into(), values: values.into_iter().collect() }
}

pub fn script(name: &str, statements: &[&str]) -> MigrationScript {
    MigrationScript { name: name.into(), statements: statements.iter().map(|s| (*s).to_owned()).collect() }
}

/// Every database there is to test on: SQLite always, PostgreSQL when `SYSMANAGE_TEST_POSTGRES_URL` names one.
pub async fn all(limits: Limits) -> Vec<Db> {
    let mut all = vec![sqlite(limits.clone()).await];
    if let Ok(url) = std::env::var("SYSMANAGE_TEST_POSTGRES_URL") {
        all.push(postgres(&url, limits).await);
    }
    all
}

pub async fn sqlite(limits: Limits) -> Db {
    let dir = tempfile::tempdir().unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.path().join("test.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    let mut conn = options.connect().await.unwrap();
    conn.execute("CREATE TABLE users (id integer, password text)").await.unwrap();
    conn.execute("CREATE VIEW v1_machines AS SELECT id, password AS name FROM users").await.unwrap();
    conn.close().await.unwrap();
    let db = Database::open_sqlite(&options, limits).await.unwrap();
    Db { db, backend: SqlBackend::Sqlite, _dir: Some(dir) }
}

async fn postgres(url: &str, limits: Limits) -> Db {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let name = format!("plugin_sql_{}", uuid::Uuid::now_v7().simple());
    let mut conn = options.connect().await.unwrap();
    conn.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let options = options.database(&name);
    let mut conn = options.connect().await.unwrap();
    conn.execute("CREATE TABLE users (id integer, password text)").await.unwrap();
    conn.execute("CREATE VIEW v1_machines AS SELECT id, password AS name FROM users").await.unwrap();
    let db = Database::open_postgres(&options, limits).await.unwrap();
    Db { db, backend: SqlBackend::Postgres, _dir: None }
}

impl Db {
    /// The SQL of an engine with the view granted and a neighbour whose id prefixes it.
    pub async fn engine(&self, id: &str) -> EngineSql {
        let others = ["foo", "foo_bar"].map(str::to_owned);
        self.db.engine(id, BTreeSet::from(["v1_machines".to_owned()]), others.into()).await.unwrap()
    }

    /// An engine `foo` with a table `foo_items (id, name)`.
    pub async fn with_items(&self) -> EngineSql {
        let sql = self.engine("foo").await;
        let m = script("m0001", &["CREATE TABLE foo_items (id bigint PRIMARY KEY, name text UNIQUE)"]);
        sql.migrate(&[m], chrono::Utc::now()).await.unwrap();
        sql
    }

    /// `?` or `$n`.
    pub fn place(&self, n: usize) -> String {
        if self.backend == SqlBackend::Sqlite { "?".into() } else { format!("${n}") }
    }
}

pub async fn run(sql: &EngineSql, tx: u64, text: &str) -> Result<u64, SqlError> {
    sql.execute(tx, &statement(text, [])).await.map(|d| d.rows_affected)
}

pub async fn rows(sql: &EngineSql, tx: u64, text: &str) -> Result<SqlRows, SqlError> {
    sql.query(tx, &statement(text, [])).await
}

pub async fn count(sql: &EngineSql, tx: u64) -> i64 {
    match rows(sql, tx, "SELECT count(*) AS n FROM foo_items").await.unwrap().values[0] {
        SqlValue::I64(n) => n,
        ref other => panic!("{other:?}"),
    }
}
