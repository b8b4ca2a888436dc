//! Pretend machines: a few images in a few states of repair, with a tail of software of their own.

use std::{path::Path, sync::Arc};

use agent_protocol::{
    inventory::{InventoryDelta, InventorySection},
    items,
};
use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use sysmanage::{
    app::App,
    machines::{Report, Stored},
};
use uuid::Uuid;

/// Machines that speak at once.
const AT_ONCE: usize = 128;

/// An empty database on a server; its URL.
pub async fn new_database(server: &str) -> Result<String> {
    let name = format!("sysmanage_bench_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    let (base, _) = server.rsplit_once('/').context("the server's URL names no database")?;
    Ok(format!("{base}/{name}"))
}

/// Remove it again.
pub async fn drop_database(server: &str, url: &str) -> Result<()> {
    let (_, name) = url.rsplit_once('/').context("no name")?;
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await?;
    Ok(())
}

/// Approved machines, a tenth with each of ten tags, each two thousandth with `rare`.
pub async fn machines(app: &App, count: usize) -> Result<Vec<Uuid>> {
    use sea_orm::{
        ConnectionTrait,
        sea_query::{Expr, Query},
    };
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let now = chrono::Utc::now();
    let tx = app.db.begin().await?;
    for (i, id) in ids.iter().enumerate() {
        let text = |s: &str| Expr::value(s.to_owned());
        let name = format!("machine-{i:05}");
        let os = ["debian", "ubuntu", "rocky"][i % 3];
        let mut columns = vec![
            ("id", Expr::value(*id)),
            ("name", text(&name)),
            ("state", text("approved")),
            ("key_fingerprint", text(&name)),
            ("public_key", Expr::value(Vec::<u8>::new())),
            ("poll_handle_hash", text(&name)),
            ("os_family", text("linux")),
            ("os_id", text(os)),
            ("os_name", text(os)),
            ("os_version", text(["11", "12", "13"][i % 3])),
            ("arch", text("x86_64")),
            ("cpus", Expr::value(4)),
            ("memory_bytes", Expr::value(8i64 << 30)),
            ("addresses", Expr::value(json!([]))),
            ("online", Expr::value(false)),
            ("created_at", Expr::value(now)),
            ("updated_at", Expr::value(now)),
        ];
        for column in ["hostname", "kernel", "target", "boot_id", "agent_version", "notes"] {
            columns.push((column, text("")));
        }
        let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        tx.execute(Query::insert().into_table("machines").columns(names).values_panic(values)).await?;
        let rare = (i % 2000 == 1999).then(|| "rare".to_owned());
        for tag in [format!("t{}", i % 10)].into_iter().chain(rare) {
            let tag = [Expr::value(*id), text(&tag)];
            let insert = Query::insert()
                .into_table("machine_tags")
                .columns(["machine_id", "tag"])
                .values_panic(tag)
                .to_owned();
            tx.execute(&insert).await?;
        }
    }
    tx.commit().await?;
    Ok(ids)
}

/// Nine tenths of a machine's packages are its image's, in one of five states of repair; the rest are from a tail.
fn packages(machine: usize, count: usize) -> Vec<Value> {
    let mut random = machine as u64 * 2_654_435_761 + 1;
    let mut next = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below.max(1)
    };
    let (image, repair) = (machine % 3, machine / 3 % 5);
    let base = count * 9 / 10;
    let mut list: Vec<Value> = (0..base)
        .map(|i| {
            // A fifth of the packages is updated now and then.
            let patch = if i % 5 == 0 { repair } else { 0 };
            package(&format!("base-{i}"), &format!("{image}.{}.{patch}", i % 7), i)
        })
        .collect();
    let mut tail = std::collections::BTreeSet::new();
    while tail.len() < count - base {
        tail.insert(next(5_000));
    }
    list.extend(tail.into_iter().map(|i| package(&format!("tail-{i}"), &format!("{image}.{}", i % 3), i)));
    list.sort_by(|a, b| a["key"].as_str().cmp(&b["key"].as_str()));
    list
}

fn package(name: &str, version: &str, i: usize) -> Value {
    json!({"key": format!("dpkg:{name}:amd64"), "name": name, "arch": "amd64", "version": version, "manager": "dpkg",
        "source": format!("src-{}", i / 3), "installed_kib": 100 + i})
}

fn updates(machine: usize) -> Vec<Value> {
    let repair = machine / 3 % 5;
    (0..(4 - repair) * 10)
        .map(|i| {
            let name = format!("base-{}", i * 5);
            json!({"key": format!("dpkg:{name}:amd64"), "name": name, "arch": "amd64", "manager": "dpkg",
                "installed": format!("{}", repair), "version": format!("{}.0.4", machine % 3), "security": i % 4 == 0})
        })
        .collect()
}

fn services(machine: usize) -> Vec<Value> {
    (0..60)
        .map(|i| json!({"name": format!("service-{}.service", (machine % 5) * 10 + i), "state": "running"}))
        .collect()
}

fn section(name: &str, data: &Value) -> Report {
    let data = serde_json::to_vec(data).unwrap_or_default();
    let (digest, collected_at) = (items::sha256(&data), 0);
    Report::Whole(InventorySection { name: name.into(), digest, collected_at, data: data.into() })
}

/// Every machine tells packages, updates and services for the first time.
pub async fn report(app: &Arc<App>, ids: &[Uuid], count: usize) -> Result<()> {
    stream::iter(ids.iter().copied().enumerate().map(|(i, id)| {
        let app = app.clone();
        async move {
            let sections = [
                section("packages", &json!({"sources": ["dpkg"], "packages": packages(i, count)})),
                section("updates", &json!({"updates": updates(i)})),
                section("services", &json!({"manager": "systemd", "services": services(i)})),
            ];
            for section in sections {
                app.machines.store_report(id, section).await?;
            }
            anyhow::Ok(())
        }
    }))
    .buffer_unordered(AT_ONCE)
    .try_collect::<()>()
    .await
}

/// Some machines update five packages each.
pub async fn change(app: &Arc<App>, ids: &[Uuid], count: usize) -> Result<()> {
    stream::iter(ids.iter().copied().enumerate().map(|(i, id)| {
        let app = app.clone();
        async move {
            let before = json!({"sources": ["dpkg"], "packages": packages(i, count)});
            let (mut after, mut changed) = (before.clone(), Vec::new());
            for package in after["packages"].as_array_mut().into_iter().flatten().step_by(100).take(5) {
                package["version"] = json!("9.9");
                changed.push(package.clone());
            }
            let bytes = |v: &Value| serde_json::to_vec(v).unwrap_or_default();
            let now = bytes(&after);
            let delta = InventoryDelta {
                name: "packages".into(),
                base: items::sha256(&bytes(&before)),
                digest: items::sha256(&now),
                check: items::check(&items::items(&now)?),
                collected_at: 0,
                upserts: bytes(&json!({"packages": changed})).into(),
                removed: Vec::new(),
            };
            match app.machines.store_report(id, Report::Delta(delta)).await? {
                Stored::Stored(_) => anyhow::Ok(()),
                Stored::Resync => bail!("a change does not fit"),
            }
        }
    }))
    .buffer_unordered(AT_ONCE)
    .try_collect::<()>()
    .await
}

/// What a database does by itself after a while: statistics, and its log written back.
pub async fn settle(app: &App) -> Result<()> {
    use sea_orm::{ConnectionTrait, DbBackend};
    let postgres = app.db.backend() == DbBackend::Postgres;
    let statements: &[&str] =
        if postgres { &["VACUUM ANALYZE"] } else { &["PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)"] };
    for statement in statements {
        app.db.write().execute_unprepared(statement).await?;
    }
    Ok(())
}

/// What the database takes on disk.
pub async fn bytes(app: &App, dir: &Path) -> Result<u64> {
    use sea_orm::{ConnectionTrait, DbBackend, Statement};
    if app.db.backend() == DbBackend::Postgres {
        let select =
            Statement::from_string(DbBackend::Postgres, "SELECT pg_database_size(current_database()) AS n");
        let row = app.db.read().query_one_raw(select).await?.context("no size")?;
        return Ok(row.try_get::<i64>("", "n")?.try_into()?);
    }
    settle(app).await?;
    Ok(std::fs::metadata(dir.join("data/sysmanage.db"))?.len())
}
