//! Which migrations ran, with their hashes, and which tables belong to which engine.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use plugin_api::{
    abi::{SqlBackend, SqlRows, SqlValue},
    description::MigrationScript,
};
use ring::digest::{Context, SHA256};

use crate::{
    Limits, SqlError,
    database::{Lease, Shared},
    guard::{DdlEffect, Guard, Tables},
};

/// What a run of migrations did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Names of the migrations applied now, in order.
    pub applied: Vec<String>,
    /// The engine's tables afterwards.
    pub tables: BTreeSet<String>,
}

const CREATE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS engine_migrations (engine text NOT NULL, name text NOT NULL, \
     position integer NOT NULL, sha256 text NOT NULL, applied_at text NOT NULL, PRIMARY KEY (engine, name))",
    "CREATE TABLE IF NOT EXISTS engine_tables (name text PRIMARY KEY, engine text NOT NULL)",
];

fn text(s: &str) -> SqlValue {
    SqlValue::Text(s.into())
}

/// Write placeholders as the database wants them; the text is ours and holds no other `?`.
fn dialect(shared: &Shared, sql: &str) -> Arc<str> {
    if shared.backend() == SqlBackend::Sqlite {
        return sql.into();
    }
    let mut parts = sql.split('?');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (i, part) in parts.enumerate() {
        out.push_str(&format!("${}{part}", i + 1));
    }
    out.into()
}

async fn run(shared: &Shared, lease: &mut Lease, sql: &str, values: &[SqlValue]) -> Result<(), SqlError> {
    shared.execute(lease, dialect(shared, sql), values, shared.limits.migration).await.map(drop)
}

async fn rows(
    shared: &Shared,
    lease: &mut Lease,
    sql: &str,
    values: &[SqlValue],
) -> Result<Vec<String>, SqlError> {
    let answer: SqlRows = shared.query(lease, dialect(shared, sql), values).await?;
    let values = answer.values.iter().map(|v| match v {
        SqlValue::Text(t) => t.to_string(),
        _ => String::new(),
    });
    Ok(values.collect())
}

/// Make the ledger's tables.
pub(crate) async fn create(shared: &Shared) -> Result<(), SqlError> {
    let mut lease = locked(shared).await?;
    for sql in CREATE {
        if let Err(error) = run(shared, &mut lease, sql, &[]).await {
            lease.rollback(shared.limits.statement).await;
            return Err(error);
        }
    }
    lease.control("COMMIT", shared.limits.statement).await
}

/// A transaction that no other host node runs at the same time.
async fn locked(shared: &Shared) -> Result<Lease, SqlError> {
    let Limits { statement, migration, .. } = shared.limits;
    let mut lease = shared.begin(migration).await?;
    if shared.backend() == SqlBackend::Postgres {
        let limit = migration.as_millis();
        for sql in [
            format!("SET LOCAL statement_timeout = {limit}"),
            format!("SET LOCAL lock_timeout = {limit}"),
            "SELECT pg_advisory_xact_lock(7239847239)".to_owned(),
        ] {
            if let Err(error) = lease.control(&sql, migration).await {
                lease.rollback(statement).await;
                return Err(error);
            }
        }
    }
    Ok(lease)
}

/// Tables of an engine.
pub(crate) async fn tables(shared: &Shared, engine: &str) -> Result<BTreeSet<String>, SqlError> {
    let mut lease = shared.take(false, shared.limits.statement).await?;
    let sql = "SELECT name FROM engine_tables WHERE engine = ?";
    Ok(rows(shared, &mut lease, sql, &[text(engine)]).await?.into_iter().collect())
}

/// SHA-256 over the statements, each with its length, as lower-case hex.
fn hash(script: &MigrationScript) -> String {
    let mut digest = Context::new(&SHA256);
    for statement in &script.statements {
        digest.update(&(statement.len() as u64).to_be_bytes());
        digest.update(statement.as_bytes());
    }
    digest.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// Apply what did not run yet.
pub(crate) async fn migrate(
    shared: &Shared,
    tables: &Tables,
    scripts: &[MigrationScript],
    now: DateTime<Utc>,
) -> Result<MigrationReport, SqlError> {
    let mut names = BTreeSet::new();
    if let Some(twice) = scripts.iter().find(|s| !names.insert(&s.name)) {
        return Err(SqlError::MigrationOrder(twice.name.clone()));
    }
    let mut report = MigrationReport { applied: Vec::new(), tables: tables.own.clone() };
    for (position, script) in scripts.iter().enumerate() {
        let fail = |source| match source {
            e @ (SqlError::MigrationChanged(_) | SqlError::MigrationOrder(_)) => e,
            e => SqlError::Migration { name: script.name.clone(), source: Box::new(e) },
        };
        let mut lease = locked(shared).await.map_err(fail)?;
        match step(shared, &mut lease, tables, scripts, position, now).await {
            Ok(Some(own)) => {
                lease.control("COMMIT", shared.limits.migration).await.map_err(fail)?;
                report.applied.push(script.name.clone());
                report.tables = own;
            }
            Ok(None) => lease.rollback(shared.limits.statement).await,
            Err(error) => {
                lease.rollback(shared.limits.statement).await;
                return Err(fail(error));
            }
        }
    }
    Ok(report)
}

/// One migration, inside its transaction. `None` when it ran before.
async fn step(
    shared: &Shared,
    lease: &mut Lease,
    tables: &Tables,
    scripts: &[MigrationScript],
    position: usize,
    now: DateTime<Utc>,
) -> Result<Option<BTreeSet<String>>, SqlError> {
    let (script, engine) = (&scripts[position], text(&tables.engine));
    let known = "SELECT name, sha256 FROM engine_migrations WHERE engine = ? ORDER BY position";
    let ran = rows(shared, lease, known, std::slice::from_ref(&engine)).await?;
    // A list that lacks what ran is an older version's, after a rollback: expand-only migrations allow it.
    if let Some([name, sha256]) = ran.chunks_exact(2).nth(position).map(|c| [&c[0], &c[1]]) {
        if *name != script.name {
            return Err(SqlError::MigrationOrder(name.clone()));
        }
        return if *sha256 == hash(script) {
            Ok(None)
        } else {
            Err(SqlError::MigrationChanged(name.clone()))
        };
    }
    let own =
        rows(shared, lease, "SELECT name FROM engine_tables WHERE engine = ?", std::slice::from_ref(&engine));
    let mut tables = Tables { own: own.await?.into_iter().collect(), ..tables.clone() };
    for sql in &script.statements {
        statement(shared, lease, &mut tables, sql).await?;
    }
    let place = SqlValue::I32(i32::try_from(position).unwrap_or(i32::MAX));
    let values = [engine, text(&script.name), place, text(&hash(script)), text(&now.to_rfc3339())];
    let sql =
        "INSERT INTO engine_migrations (engine, name, position, sha256, applied_at) VALUES (?, ?, ?, ?, ?)";
    run(shared, lease, sql, &values).await?;
    Ok(Some(tables.own))
}

async fn statement(
    shared: &Shared,
    lease: &mut Lease,
    tables: &mut Tables,
    sql: &str,
) -> Result<(), SqlError> {
    let guard = Guard::new(shared.backend(), tables.clone(), 2, shared.limits.statement_bytes);
    let (sql, effect) = guard.check_migration(sql)?;
    if let DdlEffect::Creates { table, .. } | DdlEffect::Renames(_, table) = &effect {
        refuse_existing(shared, lease, tables, table).await?;
    }
    shared.execute(lease, sql, &[], shared.limits.migration).await?;
    match effect {
        DdlEffect::None => {}
        DdlEffect::Creates { table, .. } => add(shared, lease, tables, table).await?,
        DdlEffect::Drops(names) => {
            for name in names {
                remove(shared, lease, tables, &name).await?;
            }
        }
        DdlEffect::Renames(old, new) => {
            remove(shared, lease, tables, &old).await?;
            add(shared, lease, tables, new).await?;
        }
    }
    Ok(())
}

/// `IF NOT EXISTS` must not make a foreign table an engine's own.
async fn refuse_existing(
    shared: &Shared,
    lease: &mut Lease,
    tables: &Tables,
    table: &str,
) -> Result<(), SqlError> {
    let sql = match shared.backend() {
        SqlBackend::Sqlite => "SELECT name FROM sqlite_master WHERE lower(name) = ?",
        SqlBackend::Postgres => {
            "SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND relname = ?"
        }
    };
    let there = !rows(shared, lease, sql, &[text(table)]).await?.is_empty();
    if there && !tables.own.contains(table) {
        return Err(SqlError::refused(format!("`{table}` exists and is not a table of `{}`", tables.engine)));
    }
    Ok(())
}

async fn add(shared: &Shared, lease: &mut Lease, tables: &mut Tables, table: String) -> Result<(), SqlError> {
    if tables.own.insert(table.clone()) {
        let sql = "INSERT INTO engine_tables (name, engine) VALUES (?, ?)";
        run(shared, lease, sql, &[text(&table), text(&tables.engine)]).await?;
    }
    Ok(())
}

async fn remove(
    shared: &Shared,
    lease: &mut Lease,
    tables: &mut Tables,
    table: &str,
) -> Result<(), SqlError> {
    tables.own.remove(table);
    run(shared, lease, "DELETE FROM engine_tables WHERE name = ?", &[text(table)]).await
}

/// Remove all an engine has.
pub(crate) async fn purge(shared: &Shared, engine: &str) -> Result<(), SqlError> {
    let names: Vec<String> = tables(shared, engine).await?.into_iter().collect();
    let mut lease = locked(shared).await?;
    match purge_inside(shared, &mut lease, engine, &names).await {
        Ok(()) => lease.control("COMMIT", shared.limits.migration).await,
        Err(error) => {
            lease.rollback(shared.limits.statement).await;
            Err(error)
        }
    }
}

async fn purge_inside(
    shared: &Shared,
    lease: &mut Lease,
    engine: &str,
    names: &[String],
) -> Result<(), SqlError> {
    let quoted: Vec<String> = names.iter().map(|n| format!("\"{n}\"")).collect();
    match shared.backend() {
        SqlBackend::Sqlite => {
            run(shared, lease, "PRAGMA defer_foreign_keys = ON", &[]).await?;
            for name in &quoted {
                run(shared, lease, &format!("DROP TABLE IF EXISTS {name}"), &[]).await?;
            }
        }
        SqlBackend::Postgres if !quoted.is_empty() => {
            run(shared, lease, &format!("DROP TABLE IF EXISTS {}", quoted.join(", ")), &[]).await?;
        }
        SqlBackend::Postgres => {}
    }
    run(shared, lease, "DELETE FROM engine_tables WHERE engine = ?", &[text(engine)]).await?;
    run(shared, lease, "DELETE FROM engine_migrations WHERE engine = ?", &[text(engine)]).await
}
