//! No list, filter or sort reads a big table from end to end.

use std::sync::{Arc, Mutex};

use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use sysmanage::{
    app::App,
    clock::SystemClock,
    ctx::Ctx,
    db::Db,
    machines::{ChangeQuery, MachineQuery},
    selector::Selector,
    software::{Listing, Order},
};
use uuid::Uuid;

/// Tables with a row per machine and thing, by name or the alias queries give them.
const BIG: [&str; 12] = [
    "l",
    "machine_software",
    "machine_updates",
    "machine_items",
    "inventory_changes",
    "inventory_sections",
    "machine_tags",
    "machine_metrics",
    "software",
    "machine_addresses",
    "machine_hardware",
    "updates",
];

/// SQLite, and the PostgreSQL server that the environment names.
fn servers() -> Vec<Option<String>> {
    let server = std::env::var("SYSMANAGE_TEST_POSTGRES_URL").ok();
    [None].into_iter().chain(server.map(Some)).collect()
}

async fn app(server: Option<&str>, seen: &Arc<Mutex<Vec<Statement>>>) -> (Arc<App>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::agent_host::config(dir.path());
    config.database.url = match server {
        Some(server) => crate::host::new_database(server).await,
        None => String::new(),
    };
    sysmanage::pki::install_crypto();
    let mut db = Db::connect(&config.database, dir.path()).await.unwrap();
    db.migrate().await.unwrap();
    let seen = seen.clone();
    db.on_read(move |statement| seen.lock().unwrap().push(statement.clone()));
    (App::build(config, Arc::new(SystemClock), db).await.unwrap(), dir)
}

/// Ask everything that lists machines, software, updates or changes.
async fn ask(app: &App) {
    let ctx = Ctx::system("test");
    let selectors = [
        None,
        Some("tag:web"),
        Some("not tag:web"),
        Some("package:openssl<3.0.11"),
        Some("-package:lib*"),
        Some("service:nginx=failed"),
        Some("port:22,443"),
        Some("port>1024 user:root"),
        Some("cert.expires<30d or virtual:kvm"),
        Some("disk.percent>90 uptime>90d"),
    ];
    let machine = crate::selector::Fake::new("a", chrono::Utc::now()).insert(&app.db).await;
    app.machines.duplicates(&ctx, machine).await.unwrap();
    app.machines.sweep_stale().await.unwrap();
    let page = |name: &str| Some(format!("{}/{name}", Uuid::nil()));
    for selector in selectors {
        let selector: Option<Selector> = selector.map(|s| s.parse().unwrap());
        for sort in
            ["created", "name", "-name", "last_seen", "-last_seen", "os", "updates", "-updates", "-security"]
        {
            for after in [None, page("a")] {
                let sort = sort.parse().unwrap();
                let query = MachineQuery { selector: selector.clone(), sort, after, limit: 50 };
                app.machines.list(&ctx, query).await.unwrap();
            }
        }
        for order in [Order::Name, Order::Machines] {
            for after in [None, Some("7/7".to_owned())] {
                let selector = selector.clone();
                let listing = Listing { selector, order, after, limit: 50, ..Listing::default() };
                app.software.titles(&ctx, listing.clone()).await.unwrap();
                app.software.updates(&ctx, listing.clone()).await.unwrap();
                app.software.updates(&ctx, Listing { security: Some(true), ..listing }).await.unwrap();
            }
        }
        let _ = app.software.title(&ctx, "bash", selector.as_ref()).await;
        let listing = Listing { selector: selector.clone(), limit: 50, ..Listing::default() };
        app.software.machines_needing(&ctx, 7, listing.clone()).await.unwrap();
        let _ = app.software.machines_of(&ctx, "bash", listing).await;
        app.machines.facets(&ctx, selector.as_ref()).await.unwrap();
        for section in [None, Some("packages".to_owned())] {
            let query =
                ChangeQuery { selector: selector.clone(), section, limit: 50, ..ChangeQuery::default() };
            app.machines.fleet_changes(&ctx, query.clone()).await.unwrap();
            let since = Some(chrono::Utc::now());
            app.machines.fleet_changes(&ctx, ChangeQuery { since, ..query }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn no_list_reads_a_big_table_from_end_to_end() {
    for server in servers() {
        let seen = Arc::default();
        let (app, _dir) = app(server.as_deref(), &seen).await;
        ask(&app).await;
        let statements: Vec<Statement> = std::mem::take(&mut *seen.lock().unwrap());
        assert!(statements.len() > 100, "{}", statements.len());
        let mut found = Vec::new();
        for statement in &statements {
            for line in plan(&app, statement).await {
                if reads_all(&line) {
                    found.push(format!("{line}\n    {}", statement.sql));
                }
            }
        }
        found.sort();
        found.dedup();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[tokio::test]
async fn a_query_without_an_index_would_be_noticed() {
    let conditions = [
        ("machine_software", "extra = 'x'"),
        ("inventory_changes", "truncated"),
        ("machine_items", "detail = 'x'"),
    ];
    for server in servers() {
        let (app, _dir) = app(server.as_deref(), &Arc::default()).await;
        for (table, condition) in conditions {
            let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
            let lines = plan(&app, &Statement::from_string(app.db.backend(), sql)).await;
            assert!(lines.iter().any(|line| reads_all(line)), "{lines:?}");
        }
    }
}

async fn plan(app: &App, statement: &Statement) -> Vec<String> {
    let backend = app.db.backend();
    let postgres = backend == DbBackend::Postgres;
    let explain = if postgres { "EXPLAIN" } else { "EXPLAIN QUERY PLAN" };
    let sql = format!("{explain} {}", statement.sql);
    let explained = Statement { sql, values: statement.values.clone(), db_backend: backend };
    let tx = app.db.write().begin().await.unwrap();
    if postgres {
        // Tables are empty here: without this any plan would do.
        tx.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
    }
    let rows = tx.query_all_raw(explained).await.unwrap();
    tx.rollback().await.unwrap();
    let column = if postgres { "QUERY PLAN" } else { "detail" };
    rows.iter().map(|row| row.try_get("", column).unwrap()).collect()
}

/// A scan of a big table, unless it follows an index in the order of a page.
fn reads_all(line: &str) -> bool {
    let line = line.trim().trim_start_matches("->").trim();
    if let Some(rest) = line.strip_prefix("SCAN ") {
        let table = rest.split(' ').next().unwrap_or_default();
        let pages = table == "inventory_changes" && rest.contains("USING INDEX");
        return BIG.contains(&table) && !pages && !rest.contains("COVERING INDEX machine_tags");
    }
    let Some(rest) = line.strip_prefix("Seq Scan on ") else { return false };
    let mut names = rest.split(' ');
    let (table, alias) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    BIG.contains(&table) || BIG.contains(&alias)
}
