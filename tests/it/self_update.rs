//! The agent becomes another version of itself, or goes on as it was; and is installed by the script of its host.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{agent::Agent, process::Process, release, wait};
use license_issuer::{Credential, development};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{Fleet, expect};

const PATIENCE: Duration = Duration::from_secs(90);

async fn machine(fleet: &Fleet, name: &str) -> Result<Value> {
    let page = fleet.admin.get(&format!("/machines?q=name:{name}")).await?;
    Ok(page["items"][0].clone())
}

async fn upload(fleet: &Fleet, file: Vec<u8>) -> Result<e2e::api::Answer> {
    fleet.admin.send(fleet.admin.request(Method::POST, "/agent-releases").body(file)).await
}

async fn add(fleet: &Fleet, program: &[u8], version: &str) -> Result<()> {
    let file = release::sign(program, version, &release::target()?, &development::publisher_signer())?;
    let answer = upload(fleet, file).await?;
    ensure!(answer.status == 201, "{answer:?}");
    Ok(())
}

async fn roll_out(fleet: &Fleet, version: &str, batch: u8) -> Result<Value> {
    let body = json!({ "version": version, "selector": "name:web-*", "batch_percent": batch, "confirm_within_s": 6 });
    let begun = fleet.admin.post("/agent-rollouts", &body).await?;
    let path = format!("/agent-rollouts/{}", begun["id"].as_str().context("an id")?);
    wait::until("the rollout to end or pause", PATIENCE, || async {
        let rollout = fleet.admin.get(&path).await?;
        Ok((rollout["state"] != "running").then_some(rollout))
    })
    .await
}

async fn tasks(fleet: &Fleet, rollout: &Value) -> Result<Vec<Value>> {
    let mut tasks = Vec::new();
    for operation in rollout["operations"].as_array().into_iter().flatten() {
        let id = operation.as_str().context("an id")?;
        let page = fleet.admin.get(&format!("/operations/{id}/tasks")).await?;
        tasks.extend(page["items"].as_array().cloned().unwrap_or_default());
    }
    Ok(tasks)
}

async fn runs_version(fleet: &Fleet, name: &str, version: &str) -> Result<()> {
    wait::until(&format!("{name} online with {version}"), PATIENCE, || async {
        let machine = machine(fleet, name).await?;
        Ok((machine["online"] == true && machine["agent_version"] == version).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_becomes_the_new_version_and_stays_it() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    let mut agent = Agent::start(&fleet.host, &fleet.folder.path().join("agent"), "web-1").await?;
    let before = agent.process.id();
    add(&fleet, &release::agent()?, "9.0.0").await?;
    let rollout = roll_out(&fleet, "9.0.0", 100).await?;
    ensure!(rollout["state"] == "finished", "{rollout}\n{}", agent.process.tail(30));
    let tasks = tasks(&fleet, &rollout).await?;
    ensure!(tasks.len() == 1 && tasks[0]["state"] == "succeeded", "{tasks:?}");
    ensure!(tasks[0]["result"]["to"] == "9.0.0", "{tasks:?}");
    runs_version(&fleet, "web-1", "9.0.0").await?;
    ensure!(agent.process.ended()?.is_none() && agent.process.id() == before, "it is the same process");
    // What starts the agent starts the installed program, which becomes the chosen release.
    agent.restart()?;
    runs_version(&fleet, "web-1", "9.0.0").await?;
    // A release that was touched since is not run.
    let program = agent.data.join("releases/9.0.0/sysmanage-agent");
    agent.process.kill();
    let mut bytes = fs::read(&program)?;
    bytes.push(0);
    fs::write(&program, bytes)?;
    agent.restart()?;
    wait::until("the installed agent", PATIENCE, || async {
        let machine = machine(&fleet, "web-1").await?;
        Ok((machine["online"] == true && machine["agent_version"] != "9.0.0").then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_version_is_put_back_and_the_rollout_pauses() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    let one = Agent::start(&fleet.host, &fleet.folder.path().join("one"), "web-1").await?;
    let _two = Agent::start(&fleet.host, &fleet.folder.path().join("two"), "web-2").await?;
    let installed = machine(&fleet, "web-1").await?["agent_version"].clone();
    for (version, program, why) in [
        ("9.1.0", "#!/bin/sh\nexit 7\n", "exit status: 7"),
        ("9.2.0", "#!/bin/sh\nexec sleep 600\n", "had not welcomed it"),
        ("9.3.0", "this is no program", "cannot be started"),
    ] {
        add(&fleet, program.as_bytes(), version).await?;
        let rollout = roll_out(&fleet, version, 50).await?;
        ensure!(rollout["state"] == "paused", "{rollout}\n{}", one.process.tail(30));
        let tasks = tasks(&fleet, &rollout).await?;
        ensure!(tasks.len() == 1, "the second machine is left alone: {tasks:?}");
        ensure!(tasks[0]["error"]["code"] == "update_rolled_back", "{tasks:?}");
        ensure!(tasks[0]["error"]["message"].to_string().contains(why), "{version}: {tasks:?}");
    }
    for name in ["web-1", "web-2"] {
        runs_version(&fleet, name, installed.as_str().context("a version")?).await?;
    }
    let body = json!({ "command": "core.ping", "selector": "name:web-*" });
    let ping = fleet.admin.post("/operations", &body).await?;
    let path = format!("/operations/{}", ping["id"].as_str().context("an id")?);
    wait::until("both to answer", PATIENCE, || async {
        Ok((fleet.admin.get(&path).await?["counts"]["succeeded"] == 2).then_some(()))
    })
    .await
}

async fn update(fleet: &Fleet, version: &str, file: &[u8]) -> Result<Value> {
    let files =
        json!([{ "target": release::target()?, "size": file.len(), "sha256": release::sha256(file)? }]);
    let payload = json!({ "version": version, "files": files });
    let body = json!({ "command": "core.agent.update", "selector": "name:web-1", "payload": payload });
    let operation = fleet.admin.post("/operations", &body).await?;
    let path = format!("/operations/{}/tasks", operation["id"].as_str().context("an id")?);
    wait::until("the update to end", PATIENCE, || async {
        let task = fleet.admin.get(&path).await?["items"][0].clone();
        Ok(task["finished_at"].is_string().then_some(task))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_the_vendor_signed_for_this_system_and_newer_is_taken() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    let _agent = Agent::start(&fleet.host, &fleet.folder.path().join("agent"), "web-1").await?;
    let target = release::target()?;
    let sign =
        |version: &str, target: &str, by: &Credential| release::sign(b"#!/bin/sh\n", version, target, by);
    let stranger = development::stranger_publisher_signer();
    let vendor = development::publisher_signer();
    // The host refuses.
    expect(&upload(&fleet, sign("9.0.0", &target, &stranger)?).await?, 422, "bad_signature")?;
    let acme = development::acme_publisher_signer();
    expect(&upload(&fleet, sign("9.0.0", &target, &acme)?).await?, 422, "bad_signature")?;
    expect(&upload(&fleet, b"SYSMANAGE".to_vec()).await?, 422, "malformed_release")?;
    let mut cut = sign("9.0.0", &target, &vendor)?;
    cut.pop();
    expect(&upload(&fleet, cut).await?, 422, "digest_mismatch")?;

    // So does the agent, whatever a host that was taken over says.
    add(&fleet, &[b'#'; 5000], "9.0.0").await?;
    let kept = fleet.host.settings.data.join("releases/9.0.0").join(format!("{target}.agent"));
    let good = fs::read(&kept)?;
    // As long as the good one: the host says how long it is.
    let signed = |bytes: usize| release::sign(&vec![b'#'; bytes], "9.0.0", &target, &stranger);
    let foreign = signed(4000 + good.len() - signed(4000)?.len())?;
    ensure!(foreign.len() == good.len(), "{} and {}", foreign.len(), good.len());
    for (file, code) in [
        (foreign, "bad_signature"),
        (
            {
                let mut touched = good.clone();
                *touched.last_mut().context("bytes")? ^= 1;
                touched
            },
            "digest_mismatch",
        ),
    ] {
        fs::write(&kept, &file)?;
        let task = update(&fleet, "9.0.0", &file).await?;
        ensure!(task["error"]["code"] == code, "not {code}: {task}");
    }
    let older = update(&fleet, "0.0.1", &good).await?;
    ensure!(older["error"]["code"] == "downgrade_refused", "{older}");
    let payload = json!({ "version": "9.9.9", "files": [{ "target": "other", "size": 1, "sha256": "00" }] });
    let body = json!({ "command": "core.agent.update", "selector": "name:web-1", "payload": payload });
    let operation = fleet.admin.post("/operations", &body).await?;
    let path = format!("/operations/{}/tasks", operation["id"].as_str().context("an id")?);
    wait::until("the refusal", PATIENCE, || async {
        let task = fleet.admin.get(&path).await?["items"][0].clone();
        Ok((task["error"]["code"] == "wrong_target").then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_installs_an_agent_and_enrols_it() -> Result<()> {
    let fleet = Fleet::with(&[], |settings| {
        settings.environment.push(("SYSMANAGE__HTTP__PUBLIC_NAME".into(), "localhost".into()));
    })
    .await?;
    let request = json!({ "name": "script", "auto_approve": true });
    let token = fleet.admin.post("/enrolment-tokens", &request).await?;
    let line = token["install_command"].as_str().context("a line")?.to_owned();
    let root = fleet.folder.path().join("root");
    let empty = install(&line, &root)?;
    ensure!(!empty.0 && empty.1.contains("the host has no agent for"), "{}", empty.1);

    add(&fleet, &release::agent()?, "9.0.0").await?;
    let other_host = install(
        &line
            .replace("]= ", "] = ")
            .replace(token["ca_fingerprint"].as_str().context("a fingerprint")?, &"0".repeat(64)),
        &root,
    )?;
    ensure!(!other_host.0 && other_host.1.contains("another fingerprint"), "{}", other_host.1);
    ensure!(!root.join("usr/bin/sysmanage-agent").exists(), "nothing was installed");

    let done = install(&line, &root)?;
    ensure!(done.0, "{}", done.1);
    let unit = fs::read_to_string(root.join("lib/systemd/system/sysmanage-agent.service"))?;
    ensure!(unit.contains("ExecStart=/usr/bin/sysmanage-agent run"), "{unit}");
    let mut command = Command::new(root.join("usr/bin/sysmanage-agent"));
    command.arg("--data").arg(root.join("var/lib/sysmanage-agent")).arg("run");
    let _agent = Process::start(&mut command, &fleet.folder.path().join("agent.log"))?;
    e2e::agent::online(&fleet.host, "web-9").await?;
    Ok(())
}

/// Run the line below another root, without becoming another user.
fn install(line: &str, root: &Path) -> Result<(bool, String)> {
    let inner = line.strip_prefix("sudo ").context("sudo")?.strip_suffix('\'').context("a quote")?;
    let line = format!("{inner} --root {} --name web-9'", root.display());
    let out = Command::new("sh").arg("-c").arg(&line).output()?;
    let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Ok((out.status.success(), text))
}
