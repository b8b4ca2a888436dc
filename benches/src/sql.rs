//! SQL of an engine (sea-orm, guard, boundary, executor) against sqlx on the same SQLite file.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use http::Request;
use plugin_api::{
    CallContext, EngineError,
    abi::{NO_TX, SqlBackend, SqlDone, SqlRows, SqlStatement, TxId},
    description::MigrationScript,
    services::host_calls::{MIGRATIONS, Migrations},
};
use plugin_runtime::{Body, EngineInstance, SqlService};
use plugin_sql::{Database, EngineSql, Limits};
use sqlx::{
    Connection, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use uuid::Uuid;

use crate::{
    engine,
    report::{Row, times},
    sampling::{Pair, alternate},
};

const ROWS: u64 = 100;
const INSERT: &str =
    "INSERT INTO example_notes (id, title, body, done, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)";

/// Measure reading and writing.
pub async fn measure() -> Result<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("bench.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true);
    let mut direct = SqliteConnection::connect_with(&options).await?;
    let database = Database::open_sqlite(&options, Limits::default()).await?;
    let sql = database.engine(engine::ID, BTreeSet::new(), BTreeSet::new()).await?;
    let service: Arc<dyn SqlService> = Arc::new(Sql(sql.clone()));
    let example = engine::in_process(&engine::package()?, engine::services(Some(service))?).await?;
    migrate(&*example, &sql).await?;
    insert(&mut direct, ROWS, false).await?;

    Ok(vec![
        row("SQL: one small query, service alone (p50 / p99)", &small(&mut direct, &sql).await?),
        row("SQL: 100 rows as entities, engine's route (p50 / p99)", &read(&mut direct, &*example).await?),
        row(
            "SQL: 100 inserts in a transaction, engine's route (p50 / p99)",
            &write(&mut direct, &*example).await?,
        ),
    ])
}

fn row(figure: &str, pair: &Pair) -> Row {
    Row {
        figure: figure.into(),
        against: pair.against.quantiles(),
        measured: pair.measured.quantiles(),
        ratio: times(pair.ratio(), 1.0),
        goal: "",
    }
}

async fn migrate(example: &dyn EngineInstance, sql: &EngineSql) -> Result<()> {
    let ask = plugin_api::error::encode(&Migrations { backend: SqlBackend::Sqlite })?;
    let answer = example.call(MIGRATIONS, ask, Duration::from_secs(10)).await?;
    let scripts: Vec<MigrationScript> = plugin_api::error::decode(&answer)?;
    sql.migrate(&scripts, Utc::now()).await?;
    Ok(())
}

/// `count(*)` by sqlx and by the service, without the engine.
async fn small(direct: &mut SqliteConnection, sql: &EngineSql) -> Result<Pair> {
    const COUNT: &str = "SELECT count(*) FROM example_notes";
    let statement = SqlStatement { sql: COUNT.into(), values: Vec::new().into() };
    let against = async || {
        let row = sqlx::query(COUNT).fetch_one(&mut *direct).await?;
        ensure!(row.get::<i64, _>(0) == i64::try_from(ROWS)?, "rows are missing");
        Ok(())
    };
    alternate(100, 50, against, async || {
        ensure!(sql.query(NO_TX, &statement).await?.values.len() == 1, "rows are missing");
        Ok(())
    })
    .await
}

struct Note {
    _id: Uuid,
    _title: String,
    _body: String,
    _done: bool,
    _created_at: DateTime<Utc>,
    _updated_at: DateTime<Utc>,
}

async fn read(direct: &mut SqliteConnection, example: &dyn EngineInstance) -> Result<Pair> {
    const SELECT: &str =
        "SELECT id, title, body, done, created_at, updated_at FROM example_notes ORDER BY id LIMIT ?";
    let against = async || {
        let rows = sqlx::query(SELECT).bind(i64::try_from(ROWS)?).fetch_all(&mut *direct).await?;
        let notes = rows.iter().map(|r| {
            Ok(Note {
                _id: r.try_get(0)?,
                _title: r.try_get(1)?,
                _body: r.try_get(2)?,
                _done: r.try_get(3)?,
                _created_at: r.try_get(4)?,
                _updated_at: r.try_get(5)?,
            })
        });
        let notes = notes.collect::<Result<Vec<Note>, sqlx::Error>>()?;
        ensure!(notes.len() as u64 == ROWS, "rows are missing");
        Ok(())
    };
    let path = format!("/bench/sql/rows/{ROWS}");
    alternate(60, 20, against, async || call(example, "GET", &path).await).await
}

async fn write(direct: &mut SqliteConnection, example: &dyn EngineInstance) -> Result<Pair> {
    let path = format!("/bench/sql/insert/{ROWS}");
    alternate(40, 5, async || insert(direct, ROWS, true).await, async || call(example, "POST", &path).await)
        .await
}

/// What the engine's route does: insert in one transaction, and delete again when told.
async fn insert(direct: &mut SqliteConnection, n: u64, delete: bool) -> Result<()> {
    let mut tx = direct.begin_with("BEGIN IMMEDIATE").await?;
    let mut ids = Vec::new();
    for _ in 0..n {
        let (id, now) = (Uuid::now_v7(), Utc::now());
        let insert = sqlx::query(INSERT).bind(id).bind(format!("bench {id}")).bind("measured").bind(false);
        insert.bind(now).bind(now).execute(&mut *tx).await?;
        ids.push(id);
    }
    if delete {
        let mut query = sqlx::QueryBuilder::new("DELETE FROM example_notes WHERE id IN (");
        let mut list = query.separated(", ");
        for id in &ids {
            list.push_bind(*id);
        }
        query.push(")").build().execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}

async fn call(example: &dyn EngineInstance, method: &str, path: &str) -> Result<()> {
    let context = CallContext {
        actor: "user:00000000-0000-7000-8000-000000000000".into(),
        permissions: ["example:bench:run".to_owned()].into(),
        ..CallContext::default()
    };
    let request = Request::builder().method(method).uri(path).body(Body::empty())?;
    let response = example.handle(request, &context).await;
    let status = response.status();
    let body = response.into_body().collect(4096).await?;
    ensure!(status.is_success(), "{path} answered {status}: {}", String::from_utf8_lossy(&body));
    let n: u64 = serde_json::from_slice(&body).context("the route answers a number")?;
    ensure!(n == ROWS, "{path} answered {n}");
    Ok(())
}

/// The engine's SQL, as a host gives it.
struct Sql(EngineSql);

impl SqlService for Sql {
    fn backend(&self) -> SqlBackend {
        self.0.backend()
    }
    fn query(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlRows, EngineError>> {
        Box::pin(async move { Ok(self.0.query(tx, &statement).await?) })
    }
    fn execute(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlDone, EngineError>> {
        Box::pin(async move { Ok(self.0.execute(tx, &statement).await?) })
    }
    fn begin(&self, parent: TxId) -> BoxFuture<'_, Result<TxId, EngineError>> {
        Box::pin(async move { Ok(self.0.begin(parent).await?) })
    }
    fn commit(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move { Ok(self.0.commit(tx).await?) })
    }
    fn rollback(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move { Ok(self.0.rollback(tx).await?) })
    }
    fn abandon(&self, tx: TxId) {
        self.0.abandon(tx);
    }
}
