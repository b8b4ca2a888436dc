//! Thousands of pretend agents on one host: memory for each, heartbeats a second, processor time.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    Options,
    host::Bench,
    proc,
    report::{Row, size},
};

/// Longest wait for a fleet to enrol and connect.
const PATIENCE: Duration = Duration::from_secs(900);

/// Between an agent's heartbeats.
const BEAT: Duration = Duration::from_secs(5);

/// What the host was seen to use, over time.
struct Sample {
    at: Instant,
    rss: u64,
    cpu: Duration,
}

/// Enrol a fleet, start the host anew, connect all of it, and watch.
pub async fn measure(options: &Options) -> Result<Vec<Row>> {
    ensure!(options.agents > 0, "no agents");
    proc::raise_file_limit();
    // Twelve times as many signs of life as by default: what is measured is their cost.
    let beats = BEAT.as_secs().to_string();
    let mut bench = Bench::start_with(&[("AGENTS__HEARTBEAT_S", &beats)]).await?;
    let state = bench.dir.path().join("fleet.json");
    let token = json!({ "name": "bench", "auto_approve": true, "max_uses": options.agents });
    let token = bench.host.enrolment_token(&token).await?;
    let enrolled = simulate(&bench, options, &state, Some(&token), 1, None).await?;

    // A fresh process, so that what enrolment left behind is not counted as a connection's memory.
    bench.host.process.terminate(Duration::from_secs(30))?;
    bench.host.restart().await?;
    let idle = proc::rss(bench.pid())?;
    let mut samples = Vec::new();
    let report = simulate(&bench, options, &state, None, options.seconds, Some(&mut samples)).await?;
    let connected = number(&report, "connected")?;
    ensure!(connected > 0.0, "no agent connected: {report}");

    let end = samples.last().context("no sample")?.at;
    let measured = Duration::from_secs_f64(number(&report, "measured_s")?);
    let window: Vec<&Sample> = samples.iter().filter(|s| end - s.at <= measured).collect();
    let (first, last) = (window.first().context("no sample")?, window.last().context("no sample")?);
    let rss = window.iter().map(|s| s.rss).max().unwrap_or(0);
    let cpu = (last.cpu - first.cpu).as_secs_f64() / (last.at - first.at).as_secs_f64().max(0.001);
    let beats = number(&report, "heartbeats_per_s")?;
    let growth = rss.saturating_sub(idle);
    let wanted = options.agents as f64;
    Ok(vec![
        Row {
            figure: format!("host's memory for {connected:.0} of {wanted:.0} agents"),
            against: format!("{} idle", size(idle)),
            measured: size(rss),
            ratio: format!("{} an agent", size((growth as f64 / connected) as u64)),
            goal: "<= 1 GB for 10 000",
        },
        Row {
            figure: "heartbeats with metrics handled".into(),
            against: format!("{:.0} /s sent for", wanted / BEAT.as_secs_f64()),
            measured: format!("{beats:.0} /s"),
            ratio: format!("{:.0} µs CPU each", 1e6 * cpu / beats.max(0.001)),
            goal: "",
        },
        Row {
            figure: "host's CPU under them".into(),
            against: "one core".into(),
            measured: format!("{:.1} %", 100.0 * cpu),
            ratio: format!(
                "enrolled in {:.0} s, connected in {:.0} s",
                number(&enrolled, "enrol_s")?,
                number(&report, "connect_s")?
            ),
            goal: "",
        },
    ])
}

fn number(report: &Value, key: &str) -> Result<f64> {
    report[key].as_f64().with_context(|| format!("agent-sim told no {key}: {report}"))
}

/// Run `agent-sim` to its end; the host is looked at meanwhile when samples are wanted.
async fn simulate(
    bench: &Bench,
    options: &Options,
    state: &Path,
    token: Option<&str>,
    seconds: u64,
    mut samples: Option<&mut Vec<Sample>>,
) -> Result<Value> {
    let mut command = Command::new(e2e::bins::binary("agent-sim")?);
    command.args(["--server", &format!("https://localhost:{}", bench.host.settings.agents_port)]);
    command.args(["--ca-fingerprint", &bench.host.ca_fingerprint().await?]);
    command.args(["--agents", &options.agents.to_string(), "--seconds", &seconds.to_string()]);
    command.arg("--state").arg(state);
    if let Some(token) = token {
        command.args(["--token", token]);
    }
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let output = child.wait_with_output();
    tokio::pin!(output);
    let begun = Instant::now();
    let output = loop {
        tokio::select! {
            done = &mut output => break done?,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        if begun.elapsed() > PATIENCE {
            bail!("the fleet was not done after {PATIENCE:?}");
        }
        if let Some(samples) = samples.as_deref_mut() {
            let (rss, cpu) = (proc::rss(bench.pid())?, proc::cpu(bench.pid())?);
            samples.push(Sample { at: Instant::now(), rss, cpu });
        }
    };
    ensure!(output.status.success(), "agent-sim ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("agent-sim's report")
}
