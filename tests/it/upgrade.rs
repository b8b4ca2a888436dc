//! Upgrades under load: not one failed request; a version that fails its health window is rolled back by itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use e2e::{api::Api, packages, wait};
use plugin_packager::SealedPackage;
use serde_json::json;
use tokio::task::JoinSet;

use crate::fixture::Fleet;

/// Clients that ask without pause until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    clients: JoinSet<Result<()>>,
}

impl Load {
    fn start(api: &Api, path: &'static str, clients: usize) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut set = JoinSet::new();
        for _ in 0..clients {
            let (api, stop, answers) = (api.clone(), stop.clone(), answers.clone());
            set.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = api.try_get(path).await?;
                    if answer.status != 200 {
                        bail!("{path} answered {answer:?}");
                    }
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        Self { stop, answers, clients: set }
    }

    /// Wait for so many more answers.
    async fn more(&self, count: u64) -> Result<()> {
        let goal = self.answers.load(Ordering::Relaxed) + count;
        wait::until("more answers", Duration::from_secs(60), || async {
            Ok((self.answers.load(Ordering::Relaxed) >= goal).then_some(()))
        })
        .await
    }

    /// Stop; fails when any request failed.
    async fn finish(mut self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client??;
        }
        Ok(self.answers.load(Ordering::Relaxed))
    }
}

async fn version_runs(fleet: &Fleet, engine: &str, package: &SealedPackage) -> Result<()> {
    let version = package.manifest().version.to_string();
    wait::until(&format!("{engine} {version}"), Duration::from_secs(60), || async {
        let report = fleet.admin.get(&format!("/engines/{engine}")).await?;
        if report["version"] == version && report["state"] == "active" {
            return Ok(Some(()));
        }
        bail!("{report}");
    })
    .await
}

async fn upgrade_under_load(mode: &str) -> Result<()> {
    let fleet = Fleet::licensed(&["example"]).await?;
    fleet.drop_in("example").await?;
    fleet.act("example", "mode", &json!({ "mode": mode })).await?;
    let load = Load::start(&fleet.admin, "/engines/example/notes", 8);
    load.more(100).await?;
    let mut package = packages::read("example")?;
    for _ in 0..3 {
        package = packages::bumped(&package)?;
        let answer = fleet.upload(packages::signed(&package)?).await?;
        ensure!(answer.status == 201, "{answer:?}");
        version_runs(&fleet, "example", &package).await?;
        load.more(100).await?;
    }
    let answers = load.finish().await?;
    ensure!(answers > 400, "there was load: {answers} answers");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_an_engine_is_upgraded_in_process() -> Result<()> {
    upgrade_under_load("in_process").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_an_engine_is_upgraded_isolated() -> Result<()> {
    upgrade_under_load("isolated").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_that_turns_unhealthy_is_rolled_back() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    fleet.drop_in("misbehaving_unhealthy").await?;
    let good = packages::read("misbehaving_unhealthy")?;
    let load = Load::start(&fleet.admin, "/engines/misbehaving_unhealthy/ok", 2);
    load.more(20).await?;
    let bad = packages::bumped(&good)?;
    fleet.upload(packages::signed(&bad)?).await?;
    wait::until("the roll-back to be on record", Duration::from_secs(60), || async {
        let audit = fleet.admin.get("/audit?limit=100").await?.to_string();
        Ok((audit.contains("engine.upgrade_failed") && audit.contains("built to fall ill")).then_some(()))
    })
    .await?;
    version_runs(&fleet, "misbehaving_unhealthy", &good).await?;
    load.more(20).await?;
    load.finish().await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engines_that_cannot_start_are_failed_and_the_host_serves_on() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    for fault in ["migration", "selftest", "constructor", "liar"] {
        let id = format!("misbehaving_{fault}");
        fleet.upload(packages::signed(&packages::read(&id)?)?).await?;
        let report = fleet.host.engine_state(&id, "failed").await?;
        ensure!(report["report"].as_str().is_some_and(|r| !r.is_empty()), "{fault} says why: {report}");
        ensure!(fault != "liar" || report.to_string().contains("manifest_lies"), "a lie is named: {report}");
        fleet.still_serves().await?;
    }
    Ok(())
}
