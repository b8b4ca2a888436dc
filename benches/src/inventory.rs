//! Inventory at scale: machines with hundreds of packages each, taken in as the gateway does it, then listed, filtered,
//! sorted and rolled up, on SQLite and PostgreSQL, and how all that grows with the fleet.

mod fleet;
mod queries;

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use sysmanage::{app::App, clock::SystemClock, config::Config, db::Db};

use crate::{
    Options, proc,
    report::{Row, size, time},
};

/// The sizes of fleet that are compared, up to the one asked for.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// Names the server for PostgreSQL.
const POSTGRES: &str = "SYSMANAGE_TEST_POSTGRES_URL";

/// What one size came to.
struct Run {
    machines: usize,
    bytes: u64,
    memory: u64,
    ingest_per_s: f64,
    deltas_per_s: f64,
    times: Vec<(&'static str, std::time::Duration)>,
}

/// Each database at each size.
pub async fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut rows = run_all("SQLite", None, options).await?;
    match std::env::var(POSTGRES) {
        Ok(server) => rows.extend(run_all("PostgreSQL", Some(&server), options).await?),
        Err(_) => rows
            .push(Row::unmeasured("inventory on PostgreSQL", &anyhow::anyhow!("{POSTGRES} names no server"))),
    }
    Ok(rows)
}

async fn run_all(name: &str, server: Option<&str>, options: &Options) -> Result<Vec<Row>> {
    let mut runs = Vec::new();
    let sizes = SIZES.iter().copied().filter(|n| *n < options.machines).chain([options.machines]);
    for machines in sizes {
        runs.push(
            run(server, machines, options.packages)
                .await
                .with_context(|| format!("{name}, {machines} machines"))?,
        );
    }
    Ok(rows(name, &runs, options.packages))
}

async fn run(server: Option<&str>, machines: usize, packages: usize) -> Result<Run> {
    let dir = tempfile::tempdir()?;
    let mut config = Config { data_dir: dir.path().join("data"), ..Config::default() };
    std::fs::create_dir_all(&config.data_dir)?;
    config.http.public_name = "localhost".into();
    let database = match server {
        Some(server) => Some(fleet::new_database(server).await?),
        None => None,
    };
    if let Some(url) = &database {
        config.database.url.clone_from(url);
    }
    let db = Db::connect(&config.database, &config.data_dir).await?;
    db.migrate().await?;
    let app = App::build(config, Arc::new(SystemClock), db).await?;
    app.start().await?;
    let ids = fleet::machines(&app, machines).await?;
    let begun = Instant::now();
    fleet::report(&app, &ids, packages).await?;
    let ingest_per_s = machines as f64 / begun.elapsed().as_secs_f64();
    fleet::settle(&app).await?;
    let times = queries::measure(&app).await?;
    let changed = &ids[..ids.len().min(1_000)];
    let begun = Instant::now();
    fleet::change(&app, changed, packages).await?;
    let deltas_per_s = changed.len() as f64 / begun.elapsed().as_secs_f64();
    let bytes = fleet::bytes(&app, dir.path()).await?;
    let memory = proc::rss(std::process::id())?;
    app.stop().await;
    if let (Some(server), Some(url)) = (server, &database) {
        fleet::drop_database(server, url).await?;
    }
    Ok(Run { machines, bytes, memory, ingest_per_s, deltas_per_s, times })
}

/// The largest run against the smallest.
fn rows(name: &str, runs: &[Run], packages: usize) -> Vec<Row> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Vec::new() };
    let row = |figure: String, against: String, measured: String, ratio: f64, goal: &'static str| Row {
        figure: format!("{name}, {figure}"),
        against,
        measured,
        ratio: format!("{ratio:.2} x"),
        goal,
    };
    let (small, large) = (first.machines, last.machines);
    let mut rows = vec![
        row(
            format!("disk of {large} machines x {packages} packages (against {small})"),
            size(first.bytes),
            size(last.bytes),
            last.bytes as f64 / first.bytes.max(1) as f64,
            "",
        ),
        row(
            format!("host's memory after {large} machines were taken in"),
            size(first.memory),
            size(last.memory),
            last.memory as f64 / first.memory.max(1) as f64,
            "",
        ),
        row(
            format!("first inventories a second, {large} machines"),
            format!("{:.0}", first.ingest_per_s),
            format!("{:.0}", last.ingest_per_s),
            last.ingest_per_s / first.ingest_per_s,
            "",
        ),
        row(
            format!("changed inventories a second, {large} machines"),
            format!("{:.0}", first.deltas_per_s),
            format!("{:.0}", last.deltas_per_s),
            last.deltas_per_s / first.deltas_per_s,
            "",
        ),
    ];
    for (i, (what, took)) in last.times.iter().enumerate() {
        let before = first.times[i].1;
        let ratio = took.as_secs_f64() / before.as_secs_f64().max(1e-9);
        rows.push(row(format!("{what}, p95"), time(before), time(*took), ratio, "<= 50 ms"));
    }
    rows
}
