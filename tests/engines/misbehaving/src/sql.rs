//! SQL that an engine must not get away with.

use std::sync::Arc;

use axum::extract::State;
use plugin_sdk::{Json, Path, Problem};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use serde::Deserialize;

use crate::engine::Misbehaving;

/// Statements that must be refused on either database.
pub const ATTEMPTS: &[&str] = &[
    "SELECT * FROM users",
    "SELECT * FROM \"users\"",
    "SELECT * FROM main.users",
    "SELECT * FROM public.users",
    "SELECT name FROM sqlite_master",
    "SELECT name FROM sqlite_schema",
    "SELECT * FROM pg_catalog.pg_authid",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM engine_migrations",
    "SELECT (SELECT password_hash FROM users LIMIT 1)",
    "WITH x AS (SELECT * FROM users) SELECT * FROM x",
    "SELECT 1 UNION ALL SELECT id FROM users",
    "SELECT id FROM misbehaving_things WHERE EXISTS (SELECT 1 FROM users)",
    "INSERT INTO misbehaving_things (id, text) SELECT 1, name FROM users",
    "UPDATE users SET name = 'x'",
    "DELETE FROM users",
    "DROP TABLE users",
    "CREATE TABLE misbehaving_more (id integer)",
    "ALTER TABLE misbehaving_things ADD COLUMN more text",
    "CREATE TRIGGER t AFTER INSERT ON misbehaving_things BEGIN SELECT 1; END",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE users",
    "PRAGMA journal_mode = OFF",
    "ATTACH DATABASE '/tmp/other.db' AS other",
    "VACUUM INTO '/tmp/copy.db'",
    "SELECT load_extension('x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_sleep(60)",
    "SELECT lo_import('/etc/passwd')",
    "SELECT set_config('search_path', 'x', false)",
    "COPY misbehaving_things TO PROGRAM 'id'",
    "COPY misbehaving_things FROM '/etc/passwd'",
    "DO $$ BEGIN PERFORM 1; END $$",
    "SET ROLE postgres",
    "GRANT ALL ON misbehaving_things TO public",
    "LISTEN x",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "EXPLAIN SELECT * FROM users",
    "SELECT * FROM generate_series(1, 100000000)",
];

/// A statement.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Attempt {
    sql: String,
    /// Whether it gives rows.
    #[serde(default)]
    query: bool,
}

/// Run a statement as it stands; answers the number of rows.
#[utoipa::path(post, path = "/sql", request_body = Attempt, responses((status = 200)))]
pub async fn run_sql(
    State(engine): State<Arc<Misbehaving>>,
    Json(attempt): Json<Attempt>,
) -> Result<Json<u64>, Problem> {
    let db = engine.host.db();
    let refused = |e: sea_orm::DbErr| {
        let code = plugin_sdk::db::error_code(&e).unwrap_or("database").to_owned();
        Problem::new(422, &code, e.to_string())
    };
    let backend: DbBackend = db.get_database_backend();
    let rows = if attempt.query {
        let rows = db.query_all_raw(Statement::from_string(backend, attempt.sql)).await.map_err(refused)?;
        rows.len() as u64
    } else {
        db.execute_unprepared(&attempt.sql).await.map_err(refused)?.rows_affected()
    };
    Ok(Json(rows))
}

/// Statements that must be refused.
#[utoipa::path(get, path = "/sql/attempts", responses((status = 200)))]
pub async fn sql_attempts() -> Json<&'static [&'static str]> {
    Json(ATTEMPTS)
}

/// Open transactions and keep them.
#[utoipa::path(post, path = "/transactions/{n}", params(("n" = u32, Path)), responses((status = 200)))]
pub async fn keep_transactions(
    State(engine): State<Arc<Misbehaving>>,
    Path(n): Path<u32>,
) -> Result<Json<usize>, Problem> {
    let mut kept = engine.kept.lock().await;
    for _ in 0..n {
        kept.push(engine.host.db().begin().await?);
    }
    Ok(Json(kept.len()))
}
