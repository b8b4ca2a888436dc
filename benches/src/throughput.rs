//! Requests a second over HTTPS: the engine's route against a built-in one of the same host.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    Options,
    client::Connections,
    engine,
    host::Bench,
    proc,
    report::{Row, time, times},
    sampling::median,
};

/// Authenticated, authorised and answered from memory, as the engine's is.
const BUILT_IN: &str = "/api/v1/trust-roots";
const ENGINE: &str = "/api/v1/engines/example/ping";
/// Rounds in which both sides have a turn.
const ROUNDS: u32 = 10;

/// Measure in-process, then isolated.
pub async fn measure(options: &Options) -> Result<Vec<Row>> {
    let bench = Bench::start().await?;
    let package = std::fs::read(e2e::bins::package(engine::ID)?)?;
    let upload = bench.local.request(hyper::Method::POST, "/engines").body(package);
    let answer = bench.local.send(upload).await?;
    anyhow::ensure!(answer.status.is_success(), "the engine was not installed: {}", answer.body);
    let authority = bench.local.get("/authority").await?;
    let pem = authority["certificate_pem"].as_str().context("certificate_pem")?;
    let port = bench.host.settings.port;
    let mut rows = Vec::new();
    for (mode, name) in [("in_process", "in-process"), ("isolated", "isolated")] {
        bench.local.post("/engines/example/-/mode", &json!({ "mode": mode })).await?;
        bench.host.engine_state(engine::ID, "active").await?;
        let mut connections = Connections::open(options.connections, port, pem, &bench.token).await?;
        let turn = Duration::from_secs(options.seconds) / (2 * ROUNDS);
        rows.extend(compare(&bench, &mut connections, turn, name).await?);
    }
    Ok(rows)
}

/// One side in one round.
#[derive(Clone, Copy)]
struct Turn {
    per_second: f64,
    /// The host's processor time for a request, in nanoseconds.
    cpu_ns: f64,
}

async fn compare(
    bench: &Bench,
    connections: &mut Connections,
    turn: Duration,
    name: &str,
) -> Result<Vec<Row>> {
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let (built_in, engine) = if round % 2 == 0 {
            let built_in = side(bench, connections, BUILT_IN, turn).await?;
            (built_in, side(bench, connections, ENGINE, turn).await?)
        } else {
            let engine = side(bench, connections, ENGINE, turn).await?;
            (side(bench, connections, BUILT_IN, turn).await?, engine)
        };
        // The first round warms up.
        if round > 0 {
            rounds.push((built_in, engine));
        }
    }
    let middle = |pick: fn(&(Turn, Turn)) -> f64| median(rounds.iter().map(pick));
    let percent = 100.0 * middle(|(a, b)| b.per_second / a.per_second);
    let cpu = |ns: f64| time(Duration::from_nanos(ns as u64));
    Ok(vec![
        Row {
            figure: format!("HTTPS throughput, {name}"),
            against: format!("{:.0} requests/s", middle(|r| r.0.per_second)),
            measured: format!("{:.0} requests/s", middle(|r| r.1.per_second)),
            ratio: format!("{percent:.1} %"),
            goal: ">= 97 %",
        },
        Row {
            figure: format!("host's CPU for a request, {name}"),
            against: cpu(middle(|r| r.0.cpu_ns)),
            measured: cpu(middle(|r| r.1.cpu_ns)),
            ratio: times(middle(|(a, b)| b.cpu_ns / a.cpu_ns), 1.0),
            goal: "",
        },
    ])
}

async fn side(
    bench: &Bench,
    connections: &mut Connections,
    path: &'static str,
    turn: Duration,
) -> Result<Turn> {
    let before = proc::cpu(bench.pid())?;
    let begun = std::time::Instant::now();
    let answers = connections.hammer(path, turn).await? as f64;
    let per_second = answers / begun.elapsed().as_secs_f64();
    let used = proc::cpu(bench.pid())?.saturating_sub(before);
    Ok(Turn { per_second, cpu_ns: used.as_nanos() as f64 / answers })
}
