//! The project's main job: a signed package dropped into a running host, a script run on a real agent.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{agent, agent::Agent, wait};
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{Fleet, script};

const SCRIPT: &str = "echo \"hello $PARAM_WHO\"; echo trouble >&2; exit 3";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_package_goes_live_and_its_script_runs_on_a_machine() -> Result<()> {
    let fleet = Fleet::licensed(&["automation"]).await?;
    let api = &fleet.admin;
    ensure!(api.try_get("/engines/automation/scripts").await?.status == 404, "nothing is there before");
    fleet.drop_in("automation").await?;
    let machine = Agent::start(&fleet.host, &fleet.folder.path().join("agent"), "web-1").await?;

    let run = start_run(&fleet).await?;
    let run_path = format!("/engines/automation/runs/{run}");
    let streamed = stream(&fleet, &format!("{run_path}/output/stream")).await?;
    ensure!(streamed.contains("hello world") && streamed.contains("trouble"), "live output: {streamed}");

    let done = wait::until("the run to end", Duration::from_secs(60), || async {
        let run = api.get(&run_path).await?;
        Ok(run["finished_at"].is_string().then_some(run))
    })
    .await?;
    ensure!(done["counts"]["failed"] == 1, "exit 3 is a failure: {done}");
    let results = api.get(&format!("{run_path}/results")).await?;
    let result = &results["items"][0];
    ensure!(result["machine_id"] == machine.machine && result["exit_code"] == 3, "{results}");
    tables_and_audit(&fleet).await
}

async fn start_run(fleet: &Fleet) -> Result<String> {
    let mut new = script("greet", SCRIPT);
    new["version"]["parameters"] = json!([{ "name": "who", "type": "text", "required": true }]);
    let made = fleet.admin.post("/engines/automation/scripts", &new).await?;
    let id = made["id"].as_str().context("script id")?;
    let target = json!({ "selector": "name:web-1", "parameters": { "who": "world" } });
    let run = fleet.admin.post(&format!("/engines/automation/scripts/{id}/runs"), &target).await?;
    Ok(run["id"].as_str().context("run id")?.to_owned())
}

/// Read an SSE stream until it ends.
async fn stream(fleet: &Fleet, path: &str) -> Result<String> {
    let response =
        fleet.admin.request(Method::GET, path).header("accept", "text/event-stream").send().await?;
    let mut body = response.error_for_status()?.bytes_stream();
    let mut text = String::new();
    let read = async {
        while let Some(chunk) = body.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk?));
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), read).await.context("the stream does not end")??;
    Ok(decoded(&text))
}

/// The stream's text, and each base64 payload in it decoded.
fn decoded(text: &str) -> String {
    let mut all = text.to_owned();
    for line in text.lines().filter_map(|l| l.strip_prefix("data:")) {
        let value: Value = serde_json::from_str(line.trim()).unwrap_or_default();
        for field in ["data_base64", "data"] {
            let bytes = value[field].as_str().and_then(|t| data_encoding::BASE64.decode(t.as_bytes()).ok());
            all.push_str(&String::from_utf8_lossy(&bytes.unwrap_or_default()));
        }
    }
    all
}

async fn tables_and_audit(fleet: &Fleet) -> Result<()> {
    let engine = fleet.admin.get("/engines/automation").await?;
    let tables = engine["tables"].to_string();
    ensure!(tables.contains("automation_scripts") && tables.contains("automation_runs"), "tables: {tables}");
    let audit = fleet.admin.get("/audit?limit=100").await?.to_string();
    for action in ["automation.script.created", "machine.enrolled", "license.installed"] {
        ensure!(audit.contains(action), "the audit log lacks {action}: {audit}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_waits_for_approval_and_a_rejected_one_stays_out() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    let token = fleet.host.enrolment_token(&json!({ "name": "manual" })).await?;
    let folder = fleet.folder.path().join("agent");
    std::fs::create_dir_all(&folder)?;
    let mut told = fleet.admin.request(Method::GET, "/events?topics=machine.enrolled").send().await?;
    let enrolling = agent::enroll(&fleet.host, &folder, "db-1", &token);
    let approving = async {
        let id = fleet.pending_machine().await?;
        fleet.admin.post(&format!("/machines/{id}/approve"), &json!({})).await?;
        let again = fleet.admin.try_post(&format!("/machines/{id}/approve"), &json!({})).await?;
        ensure!(again.status == 409, "approving twice is a conflict: {again:?}");
        anyhow::Ok(id)
    };
    let (enrolled, approved) = tokio::join!(enrolling, approving);
    enrolled?;
    approved?;
    // Once, though the agent asks again and again whether it was approved.
    let mut text = String::new();
    while let Ok(Some(chunk)) = tokio::time::timeout(Duration::from_secs(3), told.chunk()).await? {
        text.push_str(&String::from_utf8_lossy(&chunk));
        if text.contains("db-1") {
            break;
        }
    }
    ensure!(text.matches("event: machine.enrolled").count() == 1 && text.contains("db-1"), "{text}");
    Ok(())
}
