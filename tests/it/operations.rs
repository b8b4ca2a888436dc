//! The core's commands on a machine: real apt, real dpkg, an agent that is killed half-way, a restart.

use std::{fs, net::TcpListener, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{
    agent::{Agent, Place},
    apt::{Apt, PACKAGE},
    bins, wait,
};
use serde_json::{Value, json};

use crate::fixture::{Fleet, expect};

const PATIENCE: Duration = Duration::from_secs(90);

struct Site {
    apt: Apt,
    agent: Agent,
    fleet: Fleet,
}

impl Site {
    async fn new() -> Result<Self> {
        Self::with(&[]).await
    }

    async fn with(more: &[(String, String)]) -> Result<Self> {
        let fleet = Fleet::licensed(&[]).await?;
        let apt = Apt::new(&fleet.folder.path().join("machine"))?;
        let mut place = Place::behind(fleet.host.settings.agents_port);
        place.environment = [apt.environment(), more.to_vec()].concat();
        let data = fleet.folder.path().join("agent");
        let agent = Agent::start_in(&fleet.host, &data, "web-1", place).await?;
        Ok(Self { apt, agent, fleet })
    }

    async fn begin(&self, path: &str, parameters: Value) -> Result<String> {
        let body = json!({ "selector": "name:web-1", "parameters": parameters });
        let operation = self.fleet.admin.post(&format!("/operations/{path}"), &body).await?;
        Ok(operation["id"].as_str().context("an id")?.to_owned())
    }

    async fn task(&self, operation: &str) -> Result<Value> {
        let tasks = self.fleet.admin.get(&format!("/operations/{operation}/tasks")).await?;
        Ok(tasks["items"][0].clone())
    }

    /// The task once it has ended, with its output.
    async fn end(&self, operation: &str) -> Result<(Value, String)> {
        let task = wait::until("the operation to end", PATIENCE, || async {
            let task = self.task(operation).await?;
            Ok(task["finished_at"].is_string().then_some(task))
        })
        .await?;
        let output = self.output(&task).await?;
        Ok((task, output))
    }

    async fn output(&self, task: &Value) -> Result<String> {
        let id = task["id"].as_str().context("a task")?;
        let output = self.fleet.admin.get(&format!("/tasks/{id}/output")).await?;
        let chunks = output["chunks"].as_array().cloned().unwrap_or_default();
        Ok(chunks.iter().filter_map(|chunk| chunk["text"].as_str()).collect())
    }

    async fn run(&self, path: &str, parameters: Value) -> Result<(Value, String)> {
        let operation = self.begin(path, parameters).await?;
        self.end(&operation).await
    }

    async fn shows(&self, operation: &str, text: &str) -> Result<()> {
        wait::until(&format!("output with `{text}`"), PATIENCE, || async {
            let output = self.output(&self.task(operation).await?).await?;
            Ok(output.contains(text).then_some(()))
        })
        .await
    }
}

fn succeeded((task, output): &(Value, String)) -> Result<()> {
    ensure!(task["state"] == "succeeded", "{task}\n{output}");
    Ok(())
}

fn failed_with((task, output): &(Value, String), code: &str) -> Result<()> {
    ensure!(task["state"] == "failed" && task["error"]["code"] == code, "not {code}: {task}\n{output}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packages_are_installed_upgraded_and_removed_with_live_output() -> Result<()> {
    let site = Site::new().await?;
    site.apt.offer("1.0", None)?;
    succeeded(&site.run("packages/refresh", json!({})).await?)?;

    let dry = site.run("packages/install", json!({ "packages": [PACKAGE], "dry_run": true })).await?;
    succeeded(&dry)?;
    ensure!(dry.0["result"]["changes"][0]["to"] == "1.0", "{}", dry.0);
    ensure!(site.apt.installed()?.is_none(), "a dry run changes nothing");

    let installed = site.run("packages/install", json!({ "packages": [PACKAGE] })).await?;
    succeeded(&installed)?;
    ensure!(site.apt.installed()?.as_deref() == Some("1.0"), "dpkg itself says so");
    ensure!(installed.1.contains("hello from 1.0"), "{}", installed.1);
    let change = &installed.0["result"]["changes"][0];
    ensure!(change["name"] == PACKAGE && change["change"] == "installed", "{}", installed.0);
    wait::until("the package in the inventory", Duration::from_secs(5), || async {
        let machine = &site.agent.machine;
        let section = site.fleet.admin.get(&format!("/machines/{machine}/inventory/packages")).await?;
        Ok(section.to_string().contains(PACKAGE).then_some(()))
    })
    .await?;

    site.apt.offer("2.0", None)?;
    succeeded(&site.run("packages/refresh", json!({})).await?)?;
    let upgraded = site.run("packages/upgrade", json!({})).await?;
    succeeded(&upgraded)?;
    ensure!(site.apt.installed()?.as_deref() == Some("2.0"), "{}", upgraded.1);
    ensure!(upgraded.0["result"]["changes"][0]["from"] == "1.0", "{}", upgraded.0);

    let removed = site.run("packages/remove", json!({ "packages": [PACKAGE], "purge": true })).await?;
    succeeded(&removed)?;
    ensure!(site.apt.installed()?.is_none(), "{}", removed.1);
    ensure!(fs::read_to_string(site.apt.runs())? == "1.0\n2.0\n", "each script ran once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_installed_by_hand_shows_within_five_seconds() -> Result<()> {
    let site = Site::new().await?;
    site.apt.offer("1.0", None)?;
    let path = format!("/machines/{}/inventory/packages", site.agent.machine);
    let shows = async |there: bool| {
        wait::until("what was done by hand to show", Duration::from_secs(5), || async {
            let section = site.fleet.admin.get(&path).await?;
            Ok((section.to_string().contains(PACKAGE) == there).then_some(()))
        })
        .await
    };
    site.apt.install_by_hand("1.0")?;
    shows(true).await?;
    let page = site.fleet.admin.get(&format!("/software?search={PACKAGE}")).await?;
    ensure!(page.to_string().contains(PACKAGE), "the fleet's software knows it too: {page}");
    site.apt.purge_by_hand()?;
    shows(false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_apt_survives_kill_9_of_the_agent_and_is_reported_once() -> Result<()> {
    let mut site = Site::new().await?;
    let gate = site.fleet.folder.path().join("gate");
    site.apt.offer("3.0", Some(&gate))?;
    succeeded(&site.run("packages/refresh", json!({})).await?)?;

    let operation = site.begin("packages/install", json!({ "packages": [PACKAGE] })).await?;
    site.shows(&operation, "Setting up").await?;
    site.agent.process.kill();
    // The package's script goes on without an agent, and ends before there is one again.
    fs::write(&gate, "")?;
    wait::until("dpkg to have finished", PATIENCE, || async { site.apt.installed() }).await?;
    site.agent.restart()?;

    let ended = site.end(&operation).await?;
    succeeded(&ended)?;
    ensure!(ended.1.matches("Setting up").count() == 1, "output comes once: {}", ended.1);
    ensure!(ended.1.contains("hello from 3.0"), "what came meanwhile comes too: {}", ended.1);
    ensure!(ended.0["result"]["changes"][0]["to"] == "3.0", "{}", ended.0);
    ensure!(fs::read_to_string(site.apt.runs())? == "3.0\n", "it ran once");
    let jobs: Vec<_> = fs::read_dir(site.agent.data.join("jobs"))?.collect();
    ensure!(jobs.is_empty(), "nothing is left behind: {jobs:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_agent_follows_a_run_that_goes_on() -> Result<()> {
    let mut site = Site::new().await?;
    let gate = site.fleet.folder.path().join("gate");
    site.apt.offer("4.0", Some(&gate))?;
    succeeded(&site.run("packages/refresh", json!({})).await?)?;
    let operation = site.begin("packages/install", json!({ "packages": [PACKAGE] })).await?;
    site.shows(&operation, "Setting up").await?;
    // An ordinary stop leaves the run alone as well.
    site.agent.process.terminate(Duration::from_secs(30))?;
    site.agent.restart()?;
    e2e::agent::online(&site.fleet.host, "web-1").await?;
    ensure!(site.task(&operation).await?["finished_at"].is_null(), "it still runs");
    fs::write(&gate, "")?;
    let ended = site.end(&operation).await?;
    succeeded(&ended)?;
    ensure!(ended.1.contains("hello from 4.0"), "{}", ended.1);
    ensure!(fs::read_to_string(site.apt.runs())? == "4.0\n", "it ran once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_says_why() -> Result<()> {
    let site = Site::new().await?;
    let unknown = site.run("packages/install", json!({ "packages": ["no-such-package"] })).await?;
    failed_with(&unknown, "package_unknown")?;

    for names in [json!(["--purge"]), json!(["a;b"]), json!([])] {
        let body = json!({ "selector": "name:web-1", "parameters": { "packages": names } });
        let refused = site.fleet.admin.try_post("/operations/packages/remove", &body).await?;
        expect(&refused, 422, "invalid")?;
    }
    let body = json!({ "selector": "name:web-1", "parameters": { "services": ["x"] } });
    expect(&site.fleet.admin.try_post("/operations/services/explode", &body).await?, 422, "invalid")?;

    fs::write(
        site.agent.data.join("policy.toml"),
        "[commands]\ndeny = [\"core.packages.*\", \"core.power.*\"]\n",
    )?;
    let forbidden = site.run("packages/remove", json!({ "packages": [PACKAGE] })).await?;
    failed_with(&forbidden, "forbidden_by_policy")?;
    failed_with(&site.run("power/reboot", json!({})).await?, "forbidden_by_policy")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_hangs_is_cancelled() -> Result<()> {
    let site = Site::new().await?;
    // Connections are taken by the system and never answered.
    let deaf = TcpListener::bind("127.0.0.1:0")?;
    site.apt.offer_from(&format!("http://{}", deaf.local_addr()?))?;
    let operation = site.begin("packages/refresh", json!({})).await?;
    wait::until("the run to begin", PATIENCE, || async {
        Ok((site.task(&operation).await?["state"] == "running").then_some(()))
    })
    .await?;
    site.fleet.admin.post(&format!("/operations/{operation}/cancel"), &json!({})).await?;
    let (task, output) = site.end(&operation).await?;
    ensure!(task["state"] == "cancelled", "{task}\n{output}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_reported_when_the_machine_is_back() -> Result<()> {
    let told = tempfile::NamedTempFile::new()?;
    let order =
        format!("[\"/bin/sh\", \"-c\", \"echo \\\"$0\\\" >> {}\", \"{{message}}\"]", told.path().display());
    let mut site = Site::with(&[("SYSMANAGE_AGENT__POWER__REBOOT".into(), order)]).await?;
    let operation = site.begin("power/reboot", json!({ "message": "Patch day; save your work" })).await?;
    wait::until("the order to restart", PATIENCE, || async {
        Ok((fs::read_to_string(told.path())? == "Patch day; save your work\n").then_some(()))
    })
    .await?;
    ensure!(site.task(&operation).await?["finished_at"].is_null(), "an order is not a restart");
    // The machine goes down, and comes back with another boot.
    site.agent.process.kill();
    fs::write(site.apt.root.join("proc/sys/kernel/random/boot_id"), "second-boot\n")?;
    site.agent.restart()?;
    let ended = site.end(&operation).await?;
    succeeded(&ended)?;
    ensure!(ended.0["result"]["boot_id_after"] == "second-boot", "{}", ended.0);
    ensure!(fs::read_to_string(told.path())?.lines().count() == 1, "it was ordered once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_runs_waits_and_tells() -> Result<()> {
    let site = Site::new().await?;
    site.apt.offer("1.0", None)?;
    let data = site.fleet.host.settings.data.display().to_string();
    let cli = |words: &'static [&'static str]| {
        let data = data.clone();
        async move {
            let mut command = tokio::process::Command::new(bins::binary("sysmanage")?);
            command.args(["--data-dir", &data]).args(words).kill_on_drop(true);
            let out =
                tokio::time::timeout(PATIENCE, command.output()).await.context("the command hangs")??;
            let text = [out.stdout, out.stderr].map(|b| String::from_utf8_lossy(&b).into_owned()).concat();
            anyhow::Ok((out.status.code(), text))
        }
    };
    let (code, text) = cli(&["package", "refresh", "--on", "name:web-1", "--wait"]).await?;
    ensure!(code == Some(0), "{text}");
    let (code, text) = cli(&["package", "install", PACKAGE, "--on", "name:web-1", "--wait"]).await?;
    ensure!(code == Some(0) && text.contains("Install sysmanage-hello on 1 machine"), "{text}");
    ensure!(text.contains("hello from 1.0"), "live output: {text}");
    let (code, text) = cli(&["package", "install", "nope", "--machine", "web-1", "--wait", "--json"]).await?;
    let answer: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
    ensure!(code == Some(1) && answer["tasks"][0]["error"]["code"] == "package_unknown", "{answer}");
    let (code, text) = cli(&["service", "restart", "-x", "--on", "name:web-1"]).await?;
    ensure!(code == Some(2), "an option is no service: {text}");
    Ok(())
}
