//! Migrations, on both databases.

use std::collections::BTreeSet;

use plugin_api::abi::SqlBackend;
use plugin_sdk::{Exported, export, render_migrations};
use plugin_sql::guard::{DdlEffect, Guard, Tables};

pub(super) fn check<E: Exported>(wrong: &mut Vec<String>) {
    let Ok(manifest) = export::manifest::<E>() else { return };
    for backend in [SqlBackend::Sqlite, SqlBackend::Postgres] {
        let scripts = render_migrations(&E::migrations(), backend);
        if scripts != render_migrations(&E::migrations(), backend) {
            wrong.push("a migration gives another text each time".into());
        }
        if !scripts.is_sorted_by(|a, b| a.name < b.name) {
            wrong.push("migrations are not in the order of their names, or one is there twice".into());
        }
        let engine = manifest.id.clone();
        let mut tables = Tables { engine, own: BTreeSet::new(), ..Tables::default() };
        for script in &scripts {
            for sql in &script.statements {
                statement(backend, &mut tables, &script.name, sql, wrong);
            }
        }
        for table in E::entities().tables() {
            if !tables.own.contains(table) && !manifest.capabilities.views.iter().any(|v| v == table) {
                wrong.push(format!("no migration creates the entity's table `{table}`"));
            }
        }
    }
}

fn statement(backend: SqlBackend, tables: &mut Tables, name: &str, sql: &str, wrong: &mut Vec<String>) {
    let guard = Guard::new(backend, tables.clone(), 2, 1 << 20);
    match guard.check_migration(sql) {
        Err(e) => wrong.push(format!("{name} on {backend:?}: {e}")),
        Ok((_, DdlEffect::None)) => {}
        Ok((_, DdlEffect::Creates { table, .. })) => {
            tables.own.insert(table);
        }
        Ok((_, DdlEffect::Drops(names))) => tables.own.retain(|own| !names.contains(own)),
        Ok((_, DdlEffect::Renames(from, to))) => {
            tables.own.remove(&from);
            tables.own.insert(to);
        }
    }
    if backend == SqlBackend::Sqlite
        && ["real_decimal", "real(", "real_money"].iter().any(|t| sql.contains(t))
    {
        wrong.push(format!("{name}: SQLite's decimals are floating point; use `Schema::decimal`"));
    }
}
