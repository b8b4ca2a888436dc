//! Several machines on a network of their own: they enrol, go away in every way a machine can, come back, and do once what
//! waited for them.
#![allow(clippy::print_stdout)] // Measured times belong into the run's log.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::{
    agent::{self, Agent, Place},
    api::Api,
    apt::{Apt, PACKAGE},
    host::{Host, Settings},
    namespaces::{self, Network},
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The goal: a machine that is gone shows as offline within so long.
const OFFLINE: Duration = Duration::from_secs(15);
/// What asking, and a busy machine, may add.
const SLACK: Duration = Duration::from_secs(3);
const NAMES: [&str; 3] = ["cable", "crash", "frozen"];
/// All three, whatever the host has written of their presence yet.
const ALL: &str = "name:cable,crash,frozen";

/// The host in one namespace, each machine in another.
struct Site {
    // Processes end before their network, and both before their folder.
    agents: Vec<Agent>,
    /// What is installed on each.
    systems: Vec<Apt>,
    host: Host,
    local: Api,
    network: Network,
    _folder: TempDir,
}

impl Site {
    async fn new() -> Result<Self> {
        let network = Network::new(u8::try_from(NAMES.len())?)?;
        let folder = TempDir::new()?;
        let mut settings = Settings::new(&folder.path().join("host"))?;
        settings.address = network.address().into();
        settings.launcher = network.on_host();
        let address = network.address().to_string();
        // Signs of life so often that a frozen agent is noticed in time too.
        for (name, value) in [
            ("HTTP__PUBLIC_NAME", &*address),
            ("AGENTS__HEARTBEAT_S", "5"),
            ("AGENTS__OFFLINE_AFTER_S", "15"),
        ] {
            settings.environment.push((format!("SYSMANAGE__{name}"), value.into()));
        }
        let host = Host::start(settings).await?;
        let server = format!("https://{address}:{}", host.settings.agents_port);
        let (mut agents, mut systems) = (Vec::new(), Vec::new());
        for (machine, name) in (0..).zip(NAMES) {
            let data = folder.path().join(name);
            let system = Apt::new(&data.join("machine"))?;
            let launcher = network.on_machine(machine, name);
            let place = Place { server: server.clone(), launcher, environment: system.environment() };
            agents.push(Agent::approved_in(&host, &data, name, place).await?);
            system.offer("1.0", None)?;
            systems.push(system);
        }
        Ok(Self { local: host.local()?, agents, systems, host, network, _folder: folder })
    }

    /// How long until the machine shows as offline.
    async fn offline_after(&self, machine: usize) -> Result<Duration> {
        let begun = Instant::now();
        let path = format!("/machines/{}", self.agents[machine].machine);
        wait::until(NAMES[machine], OFFLINE * 3, || async {
            Ok((self.local.get(&path).await?["online"] == false).then_some(()))
        })
        .await?;
        Ok(begun.elapsed())
    }

    fn signal(&self, machine: usize, signal: &str) -> Result<()> {
        let pid = self.agents[machine].process.id().to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status()?;
        ensure!(sent.success(), "kill {signal} {pid}");
        Ok(())
    }

    /// Begin something on the machines that `selector` names.
    async fn begin(&self, what: &str, selector: &str, parameters: Value) -> Result<String> {
        let order = json!({ "selector": selector, "parameters": parameters });
        let operation = self.local.post(&format!("/operations/{what}"), &order).await?;
        Ok(operation["id"].as_str().context("id")?.to_owned())
    }

    /// Wait until an operation has succeeded on all machines.
    async fn succeeds(&self, operation: &str) -> Result<()> {
        let done = wait::until("an operation to end", Duration::from_secs(90), || async {
            let tasks = self.tasks(operation).await?;
            Ok(tasks.iter().all(|t| t["finished_at"].is_string()).then_some(tasks))
        })
        .await?;
        ensure!(done.len() == NAMES.len() && done.iter().all(|t| t["state"] == "succeeded"), "{done:?}");
        Ok(())
    }

    async fn tasks(&self, operation: &str) -> Result<Vec<Value>> {
        let page = self.local.get(&format!("/operations/{operation}/tasks")).await?;
        Ok(page["items"].as_array().context("tasks")?.clone())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_that_leave_are_offline_in_time_and_do_what_waits_when_they_are_back() -> Result<()> {
    if !namespaces::possible() {
        println!("not tried: network namespaces need root and `ip`");
        return Ok(());
    }
    let mut site = Site::new().await?;
    for (agent, name) in site.agents.iter().zip(NAMES) {
        let machine = site.local.get(&format!("/machines/{}", agent.machine)).await?;
        ensure!(machine["hostname"] == name, "each machine tells its own name: {machine}");
    }

    let lists = site.begin("packages/refresh", ALL, json!({})).await?;
    site.succeeds(&lists).await?;

    site.network.link(0, false)?;
    let cable = site.offline_after(0).await?;
    site.agents[1].process.kill();
    let crash = site.offline_after(1).await?;
    site.signal(2, "-STOP")?;
    let frozen = site.offline_after(2).await?;
    println!("offline after: cable {cable:.1?}, kill -9 {crash:.1?}, SIGSTOP {frozen:.1?}");
    ensure!(cable <= OFFLINE + SLACK && frozen <= OFFLINE + SLACK, "cable {cable:?}, frozen {frozen:?}");
    ensure!(crash <= SLACK, "a killed agent's connection ends at once, not after {crash:?}");

    let operation = site.begin("packages/install", ALL, json!({ "packages": [PACKAGE] })).await?;
    let waiting = site.tasks(&operation).await?;
    ensure!(waiting.len() == 3 && waiting.iter().all(|t| t["state"] == "queued"), "{waiting:?}");

    site.network.link(0, true)?;
    site.agents[1].restart()?;
    site.signal(2, "-CONT")?;
    let back = Instant::now();
    for name in NAMES {
        agent::online(&site.host, name).await?;
    }
    println!("all online again after {:.1?}", back.elapsed());
    site.succeeds(&operation).await?;
    println!("what waited was done {:.1?} after the return", back.elapsed());
    // Going away once more brings back nothing that was done.
    site.network.link(0, false)?;
    site.offline_after(0).await?;
    site.network.link(0, true)?;
    site.agents[1].restart()?;
    agent::online(&site.host, NAMES[0]).await?;
    agent::online(&site.host, NAMES[1]).await?;
    for (system, name) in site.systems.iter().zip(NAMES) {
        let runs = std::fs::read_to_string(system.runs())?;
        ensure!(runs == "1.0\n", "the package's script ran once on {name}: {runs:?}");
    }
    Ok(())
}
