//! A database of the test's own.

use std::{collections::BTreeSet, str::FromStr};

use plugin_sql::{Database, EngineSql, Limits};
use sqlx::{
    ConnectOptions, Connection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

/// Set to run on PostgreSQL: `postgres://user@host/database`.
const POSTGRES: &str = "SYSMANAGE_TEST_POSTGRES_URL";

pub(crate) struct TestDatabase {
    pub(crate) database: Database,
    place: Place,
}

/// What is removed at the end.
enum Place {
    Sqlite(#[allow(dead_code)] tempfile::TempDir),
    Postgres { options: Box<PgConnectOptions>, schema: String },
}

impl TestDatabase {
    pub(crate) async fn open() -> Self {
        match std::env::var(POSTGRES) {
            Ok(url) if !url.is_empty() => Self::postgres(&url).await,
            _ => Self::sqlite().await,
        }
    }

    async fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let options = SqliteConnectOptions::new()
            .filename(dir.path().join("test.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let first = options.connect().await.expect("a temporary SQLite file opens");
        first.close().await.expect("an idle connection closes");
        let database = Database::open_sqlite(&options, Limits::default()).await;
        Self { database: database.expect("the ledger is made"), place: Place::Sqlite(dir) }
    }

    async fn postgres(url: &str) -> Self {
        let options = PgConnectOptions::from_str(url).expect("SYSMANAGE_TEST_POSTGRES_URL is a URL");
        let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
        run(&options, &format!("CREATE SCHEMA {schema}")).await;
        let inside = options.clone().options([("search_path", schema.as_str())]);
        let database = Database::open_postgres(&inside, Limits::default()).await;
        let place = Place::Postgres { options: Box::new(options), schema };
        Self { database: database.expect("the ledger is made"), place }
    }

    pub(crate) async fn engine(&self, id: &str, views: &[String]) -> EngineSql {
        let views: BTreeSet<String> = views.iter().cloned().collect();
        self.database.engine(id, views, BTreeSet::new()).await.expect("the ledger can be read")
    }
}

async fn run(options: &PgConnectOptions, sql: &str) {
    let mut connection = options.connect().await.expect("the PostgreSQL server answers");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the statement of the test runs");
    connection.close().await.expect("an idle connection closes");
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Postgres { options, schema } = &self.place else { return };
        let (options, sql) = (options.clone(), format!("DROP SCHEMA {schema} CASCADE"));
        // A destructor cannot wait on the test's own runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(run(&options, &sql));
            }
        });
        let _ = dropped.join(); // A schema left over hurts nobody.
    }
}
