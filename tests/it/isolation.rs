//! Engines that crash, hang, panic and grab: what it costs, in process and isolated.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use e2e::wait;
use serde_json::json;

use crate::fixture::Fleet;

const ENGINE: &str = "/engines/misbehaving";

async fn misbehaving(mode: &str) -> Result<Fleet> {
    let fleet = Fleet::licensed(&[]).await?;
    fleet.drop_in("misbehaving").await?;
    fleet.act("misbehaving", "mode", &json!({ "mode": mode })).await?;
    answers_again(&fleet).await?;
    Ok(fleet)
}

async fn answers_again(fleet: &Fleet) -> Result<()> {
    wait::until("the engine to answer again", Duration::from_secs(60), || async {
        let answer = fleet.admin.try_get(&format!("{ENGINE}/ok")).await?;
        if answer.status == 200 {
            return Ok(Some(()));
        }
        bail!("{answer:?}");
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_process_costs_one_request() -> Result<()> {
    let fleet = misbehaving("in_process").await?;
    for path in ["panic", "panic/drop"] {
        let answer = fleet.admin.try_post(&format!("{ENGINE}/{path}"), &json!({})).await?;
        ensure!(answer.status == 500 && answer.code() == "engine_panicked", "{path}: {answer:?}");
        ensure!(
            fleet.admin.try_get(&format!("{ENGINE}/ok")).await?.status == 200,
            "the next request is served"
        );
    }
    fleet.still_serves().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_of_an_isolated_engine_cost_only_its_own_requests() -> Result<()> {
    for path in ["segfault", "abort", "panic"] {
        let fleet = misbehaving("isolated").await?;
        let answer = fleet.admin.try_post(&format!("{ENGINE}/{path}"), &json!({})).await?;
        ensure!(answer.status.is_server_error(), "{path}: {answer:?}");
        fleet.still_serves().await?;
        answers_again(&fleet).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_comes_back_and_ends_with_its_host() -> Result<()> {
    let mut fleet = misbehaving("isolated").await?;
    let first = worker(&fleet)?;
    Command::new("kill").args(["-KILL", &first.to_string()]).status()?;
    fleet.still_serves().await?;
    answers_again(&fleet).await?;
    let second = worker(&fleet)?;
    ensure!(first != second, "another process serves");
    fleet.host.process.kill();
    let proc = format!("/proc/{second}/stat");
    wait::until("the worker to end with its host", Duration::from_secs(20), || async {
        let stat = std::fs::read_to_string(&proc).unwrap_or_default();
        Ok((stat.is_empty() || stat.contains(") Z ")).then_some(()))
    })
    .await
}

/// Process id of the engine's child of the host.
fn worker(fleet: &Fleet) -> Result<u32> {
    let parent = fleet.host.process.id().to_string();
    let out = Command::new("pgrep").args(["-P", &parent]).output()?;
    let text = String::from_utf8(out.stdout)?;
    text.lines().next().and_then(|l| l.trim().parse().ok()).context("the host has no child")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_request_of_an_isolated_engine_ends_at_its_deadline() -> Result<()> {
    let folder = |s: &mut e2e::host::Settings| {
        s.environment.push(("SYSMANAGE__HTTP__REQUEST_TIMEOUT_S".into(), "3".into()))
    };
    let fleet = Fleet::with(&[], folder).await?;
    fleet.drop_in("misbehaving").await?;
    fleet.act("misbehaving", "mode", &json!({ "mode": "isolated" })).await?;
    answers_again(&fleet).await?;
    let answer = fleet.admin.try_post(&format!("{ENGINE}/hang"), &json!({})).await?;
    ensure!(answer.status == 504 || answer.status == 503, "{answer:?}");
    let blocked = fleet.admin.try_post(&format!("{ENGINE}/spin/600"), &json!({})).await?;
    ensure!(blocked.status == 504 || blocked.status == 503, "{blocked:?}");
    fleet.still_serves().await?;
    answers_again(&fleet).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_tables_and_odd_statements_are_refused() -> Result<()> {
    let fleet = misbehaving("in_process").await?;
    let attempts = fleet.admin.get(&format!("{ENGINE}/sql/attempts")).await?;
    let attempts = attempts.as_array().or_else(|| attempts["attempts"].as_array()).context("a list")?;
    ensure!(attempts.len() > 10, "there are attempts");
    for sql in attempts {
        for query in [true, false] {
            let body = json!({ "sql": sql, "query": query });
            let answer = fleet.admin.try_post(&format!("{ENGINE}/sql"), &body).await?;
            ensure!(answer.status.is_client_error(), "{sql} was not refused: {answer:?}");
        }
    }
    fleet.still_serves().await
}
