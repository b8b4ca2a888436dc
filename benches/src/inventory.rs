//! Inventory at scale: machines with hundreds of packages each, taken in as the gateway does it, then listed, filtered,
//! sorted and rolled up, on SQLite and PostgreSQL, and how all that grows with the fleet.

mod fleet;
mod queries;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

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

/// Machines that `listing` filters, and of how many the smallest fleet is.
const LISTED: [usize; 2] = [1_000, 100_000];

/// What one size came to.
struct Run {
    machines: usize,
    bytes: u64,
    memory: u64,
    ingest_per_s: f64,
    deltas_per_s: f64,
    times: Times,
}

/// Questions and how long they took.
type Times = Vec<(&'static str, Duration)>;

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
    let host = Fleet::start(server).await?;
    let app = &host.app;
    let ids = fleet::machines(app, machines).await?;
    let begun = Instant::now();
    fleet::report(app, &ids, packages).await?;
    let ingest_per_s = machines as f64 / begun.elapsed().as_secs_f64();
    fleet::settle(app).await?;
    let times = queries::measure(app).await?;
    let changed = &ids[..ids.len().min(1_000)];
    let begun = Instant::now();
    fleet::change(app, changed, packages).await?;
    let deltas_per_s = changed.len() as f64 / begun.elapsed().as_secs_f64();
    let bytes = fleet::bytes(app, host.dir.path()).await?;
    let memory = proc::rss(std::process::id())?;
    host.stop().await?;
    Ok(Run { machines, bytes, memory, ingest_per_s, deltas_per_s, times })
}

/// The largest run against the smallest.
fn rows(name: &str, runs: &[Run], packages: usize) -> Vec<Row> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Vec::new() };
    let row = |figure, against, measured, ratio, goal| row(name, figure, against, measured, ratio, goal);
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
    rows.extend(growth(name, &first.times, &last.times));
    rows
}

fn row(name: &str, figure: String, against: String, measured: String, ratio: f64, goal: &'static str) -> Row {
    Row { figure: format!("{name}, {figure}"), against, measured, ratio: format!("{ratio:.2} x"), goal }
}

/// How the time of each question grew.
fn growth(name: &str, before: &Times, after: &Times) -> Vec<Row> {
    let one = |((what, before), (_, took)): (&(&str, Duration), &(&str, Duration))| {
        let ratio = took.as_secs_f64() / before.as_secs_f64().max(1e-9);
        row(name, format!("{what}, p95"), time(*before), time(*took), ratio, "<= 50 ms")
    };
    before.iter().zip(after).map(one).collect()
}

/// Filters over many machines, without what they have installed.
pub async fn listing() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for server in [None, std::env::var(POSTGRES).ok()] {
        let name = if server.is_some() { "PostgreSQL" } else { "SQLite" };
        if server.is_none() && !rows.is_empty() {
            let error = anyhow::anyhow!("{POSTGRES} names no server");
            rows.push(Row::unmeasured("listing on PostgreSQL", &error));
            continue;
        }
        let mut times = Vec::new();
        for machines in LISTED {
            let fleet = Fleet::start(server.as_deref()).await?;
            fleet::machines(&fleet.app, machines).await?;
            times.push(queries::filters(&fleet.app).await?);
            fleet.stop().await?;
        }
        let name = format!("{name}, {} machines (against {})", LISTED[1], LISTED[0]);
        rows.extend(growth(&name, &times[0], &times[1]));
    }
    Ok(rows)
}

/// A host over an empty database.
struct Fleet {
    dir: tempfile::TempDir,
    app: Arc<App>,
    server: Option<(String, String)>,
}

impl Fleet {
    async fn start(server: Option<&str>) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut config = Config { data_dir: dir.path().join("data"), ..Config::default() };
        std::fs::create_dir_all(&config.data_dir)?;
        config.http.public_name = "localhost".into();
        let server = match server {
            Some(server) => Some((server.to_owned(), fleet::new_database(server).await?)),
            None => None,
        };
        if let Some((_, url)) = &server {
            config.database.url.clone_from(url);
        }
        let db = Db::connect(&config.database, &config.data_dir).await?;
        db.migrate().await?;
        let app = App::build(config, Arc::new(SystemClock), db).await?;
        app.start().await?;
        Ok(Self { dir, app, server })
    }

    async fn stop(self) -> Result<()> {
        self.app.stop().await;
        match &self.server {
            Some((server, url)) => fleet::drop_database(server, url).await,
            None => Ok(()),
        }
    }
}
