//! One real agent, connected and idle: memory, processor time, size of its program.

use std::time::{Duration, Instant};

use anyhow::Result;
use e2e::agent::Agent;

use crate::{
    Options,
    host::Bench,
    proc,
    report::{Row, size},
};

/// Time for enrolment and the first inventory to be over.
const SETTLE: Duration = Duration::from_secs(10);

const BUDGET_BYTES: f64 = (8 << 20) as f64;
const BUDGET_RSS: f64 = (12 << 20) as f64;

/// Watch one for as long as the options say.
pub async fn measure(options: &Options) -> Result<Vec<Row>> {
    let program = std::fs::metadata(e2e::bins::binary("sysmanage-agent")?)?.len();
    let bench = Bench::start().await?;
    let agent = Agent::start(&bench.host, &bench.dir.path().join("agent"), "bench").await?;
    tokio::time::sleep(SETTLE).await;
    let pid = agent.process.id();
    let (before, begun) = (proc::cpu(pid)?, Instant::now());
    tokio::time::sleep(Duration::from_secs(options.idle)).await;
    let (rss, used) = (proc::rss(pid)?, proc::cpu(pid)? - before);
    let cpu = 100.0 * used.as_secs_f64() / begun.elapsed().as_secs_f64();
    let row = |figure: &str, against: &str, measured: String, ratio: f64, goal| Row {
        figure: figure.into(),
        against: format!("{against} budget"),
        measured,
        ratio: format!("{:.0} %", 100.0 * ratio),
        goal,
    };
    Ok(vec![
        row("agent's program", "8 MiB", size(program), program as f64 / BUDGET_BYTES, "<= 100 %"),
        row("agent's memory, connected and idle", "12 MiB", size(rss), rss as f64 / BUDGET_RSS, "<= 100 %"),
        row(
            &format!("agent's CPU over {} s idle", options.idle),
            "0.1 %",
            format!("{cpu:.2} %"),
            cpu / 0.1,
            "<= 100 %",
        ),
    ])
}
