//! What an agent puts on the wire: its first inventory, and an idle day.
//!
//! Counted by a relay between agent and host: bytes of TLS records, both ways, without TCP and IP headers. The day passes
//! 288 times as fast, by libfaketime in the agent alone.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use e2e::agent::{Agent, Place, enroll_in, online};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{Options, host::Bench, report::Row, report::size};

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
/// Seconds of the agent in one of ours.
const FASTER: u64 = 288;
const DAY: Duration = Duration::from_secs(86_400);
/// Nothing for so long: it is over.
const SETTLED: Duration = Duration::from_secs(10);
const BUDGET_INVENTORY: f64 = 40_000.0;
const BUDGET_DAY: f64 = 200_000.0;

/// Relay every connection to `port`; the relay's own port, and the bytes that passed both ways.
async fn relay(port: u16) -> Result<(u16, Arc<AtomicU64>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let own = listener.local_addr()?.port();
    let counted = Arc::new(AtomicU64::new(0));
    let count = counted.clone();
    tokio::spawn(async move {
        while let Ok((agent, _)) = listener.accept().await {
            let Ok(host) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
            let ((from_agent, to_agent), (from_host, to_host)) = (agent.into_split(), host.into_split());
            let (up, down) = (count.clone(), count.clone());
            tokio::spawn(async move { pass(from_agent, to_host, &up).await });
            tokio::spawn(async move { pass(from_host, to_agent, &down).await });
        }
    });
    Ok((own, counted))
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, bytes: &AtomicU64) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        bytes.fetch_add(n as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// Both figures.
pub async fn measure(options: &Options) -> Result<Vec<Row>> {
    let bench = Bench::start().await?;
    let (port, counted) = relay(bench.host.settings.agents_port).await?;
    ensure!(Path::new(FAKETIME).exists(), "faketime is not installed: run `cargo xtask setup`");
    let folder = bench.dir.path().join("agent");
    std::fs::create_dir_all(&folder)?;
    let token = json!({ "name": "bench", "auto_approve": true, "max_uses": 1 });
    let (token, place) = (bench.host.enrolment_token(&token).await?, Place::behind(port));
    enroll_in(&bench.host, &folder, "bench", &token, &place).await?;
    let enrolment = counted.load(Ordering::Relaxed);
    let mut agent = Agent::run_in(&bench.host, &folder, "bench", place).await?;
    settle(&counted).await;
    let first = counted.load(Ordering::Relaxed) - enrolment;
    // The host has everything now: what the next connection costs, the first one cost too.
    agent.restart()?;
    online(&bench.host, "bench").await?;
    settle(&counted).await;
    let connection = counted.load(Ordering::Relaxed) - enrolment - first;
    let path = format!("/machines/{}/inventory", agent.machine);
    let inventory = bench.local.get(&path).await?;
    let sections = inventory.as_array().map_or(0, Vec::len);

    agent.place.environment = vec![
        ("LD_PRELOAD".to_owned(), FAKETIME.to_owned()),
        ("FAKETIME".to_owned(), format!("+0 x{FASTER}")),
    ];
    agent.restart()?;
    online(&bench.host, "bench").await?;
    tokio::time::sleep(SETTLED).await;
    let (begun, days) = (counted.load(Ordering::Relaxed), options.days.max(1));
    tokio::time::sleep(DAY / u32::try_from(FASTER)? * u32::try_from(days)?).await;
    let day = (counted.load(Ordering::Relaxed) - begun) / days;
    let machine = bench.local.get(&format!("/machines/{}", agent.machine)).await?;
    ensure!(machine["online"] == true, "the agent was lost on the way: {machine}");
    let row = |figure: &str, budget: f64, bytes: u64| Row {
        figure: figure.into(),
        against: format!("{:.0} kB budget", budget / 1000.0),
        measured: size(bytes),
        ratio: format!("{:.0} %", 100.0 * bytes as f64 / budget),
        goal: "<= 100 %",
    };
    let figure = format!(
        "first inventory ({sections} sections) on the wire, after {} of enrolment and beside {} of connection",
        size(enrolment),
        size(connection)
    );
    Ok(vec![
        row(&figure, BUDGET_INVENTORY, first.saturating_sub(connection)),
        row("an idle day on the wire", BUDGET_DAY, day),
    ])
}

/// Wait until nothing more comes.
async fn settle(counted: &AtomicU64) {
    let mut before = 0;
    while std::mem::replace(&mut before, counted.load(Ordering::Relaxed)) != counted.load(Ordering::Relaxed) {
        tokio::time::sleep(SETTLED).await;
    }
}
