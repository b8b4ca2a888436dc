//! `agent-sim`: pretend agents against a host, and a JSON report of what they measured.

use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use agent_sim::{
    Server, Trust,
    fleet::{self, Plan},
};
use clap::Parser;

/// Thousands of pretend agents in one process.
#[derive(Debug, Parser)]
struct Options {
    /// The gateway, e.g. https://localhost:8444.
    #[arg(long)]
    server: String,
    /// SHA-256 of the host's authority.
    #[arg(long)]
    ca_fingerprint: String,
    /// An enrolment token that approves by itself; not needed when `--state` holds enough agents.
    #[arg(long)]
    token: Option<String>,
    /// File that keeps the agents' keys and certificates for the next run.
    #[arg(long)]
    state: Option<PathBuf>,
    /// How many agents.
    #[arg(long, default_value_t = 100)]
    agents: usize,
    /// Seconds to measure once all have connected.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Seconds between heartbeats; the host's wish when absent.
    #[arg(long)]
    heartbeat: Option<f64>,
    /// Enrolments and handshakes at the same time.
    #[arg(long, default_value_t = 64)]
    parallel: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let server = Server::from_url(&options.server, Trust::Fingerprint(options.ca_fingerprint))?;
    let plan = Plan {
        agents: options.agents,
        duration: Duration::from_secs(options.seconds),
        heartbeat: options.heartbeat.map(Duration::from_secs_f64),
        parallel: options.parallel.max(1),
    };
    let started = Instant::now();
    let identities =
        fleet::identities(&server, options.token.as_deref(), options.state.as_deref(), &plan).await?;
    let enrol_s = started.elapsed().as_secs_f64();
    let mut report = fleet::run(server, identities, &plan).await;
    report.enrol_s = enrol_s;
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &report)?;
    writeln!(out)?;
    Ok(())
}
