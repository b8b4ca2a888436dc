//! kill -9 of host and agent at random moments: no operation is lost, none runs twice.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use e2e::{agent::Agent, host::Settings, wait};
use reqwest::Method;
use serde_json::json;

use crate::fixture::{Fleet, script};

/// Kills when `SYSMANAGE_CHAOS_RUNS` does not say: what the gate has time for. Before a release: 200.
const RUNS: usize = 20;
/// Runs of the script per kill.
const BATCH: usize = 2;
/// Longest wait before a kill, in milliseconds: about what a script takes from request to result.
const LONGEST_WAIT_MS: u64 = 250;

/// xorshift: a run is repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn seed() -> u64 {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.subsec_nanos().into());
    number("SYSMANAGE_CHAOS_SEED").unwrap_or(clock).max(1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_points_lose_no_operation_and_repeat_none() -> Result<()> {
    let seed = seed();
    let runs = number("SYSMANAGE_CHAOS_RUNS").map_or(RUNS, |n| n as usize);
    chaos(seed, runs).await.with_context(|| format!("SYSMANAGE_CHAOS_SEED={seed}"))
}

async fn chaos(seed: u64, runs: usize) -> Result<()> {
    // So long between signs of life that silence brings nothing back in time: only the kills' own recovery counts.
    let quiet = |settings: &mut Settings| {
        for (name, seconds) in [("HEARTBEAT_S", "600"), ("OFFLINE_AFTER_S", "1800")] {
            settings.environment.push((format!("SYSMANAGE__AGENTS__{name}"), seconds.into()));
        }
    };
    let mut fleet = Fleet::with(&["automation"], quiet).await?;
    fleet.drop_in("automation").await?;
    let mut agent = Agent::start(&fleet.host, &fleet.folder.path().join("agent"), "victim").await?;
    let trace = fleet.folder.path().join("trace");
    let text = format!("echo $PARAM_KEY >> {}", trace.display());
    let mut new = script("trace", &text);
    new["version"]["parameters"] = json!([{ "name": "key", "type": "text", "required": true }]);
    let made = fleet.admin.post("/engines/automation/scripts", &new).await?;
    let path = format!("/engines/automation/scripts/{}/runs", made["id"].as_str().context("id")?);

    let mut dice = Dice(seed);
    for kill in 0..runs {
        let keys: Vec<String> = (0..BATCH).map(|i| format!("{kill}-{i}")).collect();
        let requests: Vec<_> = keys.iter().map(|key| start(&fleet, &path, key)).collect();
        let death = async {
            tokio::time::sleep(Duration::from_millis(dice.roll(LONGEST_WAIT_MS))).await;
        };
        let started = async {
            for request in requests {
                let _ = request.await; // An answer may be lost with its host; the key finds it again.
            }
        };
        tokio::select! { () = death => {}, () = async { started.await; std::future::pending().await } => {} }
        if kill % 2 == 0 {
            fleet.host.restart().await?
        } else {
            agent.restart()?
        }
        for key in &keys {
            settle(&fleet, &path, key, &trace).await.with_context(|| {
                let (host, agent) = (fleet.host.process.tail(40), agent.process.tail(20));
                format!("kill {kill}\nhost:\n{host}\nagent:\n{agent}")
            })?;
        }
    }
    let counts = traced(&trace);
    ensure!(counts.values().all(|n| *n == 1), "something ran twice: {counts:?}");
    Ok(())
}

/// Ask for a run; the key makes it the same run however often it is asked for.
async fn start(fleet: &Fleet, path: &str, key: &str) -> Result<String> {
    let body = json!({ "selector": "name:victim", "parameters": { "key": key }, "idempotency_key": key });
    let answer = fleet.admin.send(fleet.admin.request(Method::POST, path).json(&body)).await?;
    ensure!(answer.status.is_success(), "{answer:?}");
    Ok(answer.body["id"].as_str().context("run id")?.to_owned())
}

/// Ask again with the same key, wait for the end, and compare it with what the script left behind.
async fn settle(fleet: &Fleet, path: &str, key: &str, trace: &Path) -> Result<()> {
    // An event that dies with its host is made up for by the engine's first tick.
    let patience = Duration::from_secs(60);
    let id =
        wait::until("the run to be taken", patience, || async { start(fleet, path, key).await.map(Some) })
            .await?;
    let run = format!("/engines/automation/runs/{id}");
    let done = wait::until("the run to end", patience, || async {
        let run = fleet.admin.get(&run).await?;
        if run["finished_at"].is_string() {
            return Ok(Some(run));
        }
        bail!("{run}");
    })
    .await?;
    let times = traced(trace).get(key).copied().unwrap_or_default();
    let succeeded = done["counts"]["succeeded"] == 1;
    ensure!(times <= 1 && (!succeeded || times == 1), "{key} ran {times} times, and the run says {done}");
    if !succeeded {
        let results = fleet.admin.get(&format!("{run}/results")).await?;
        let code = &results["items"][0]["error_code"];
        ensure!(code == "agent_restarted", "only a killed agent may fail a run: {results}");
    }
    Ok(())
}

/// How often each key was written.
fn traced(trace: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in std::fs::read_to_string(trace).unwrap_or_default().lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
}
