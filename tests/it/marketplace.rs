//! Engines come from the portal by themselves: bought, found, downloaded, updated, withdrawn, and refunded.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use e2e::{
    bins, packages,
    portal::{Customer, Portal, free_port},
    wait,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::Fleet;

const PATIENCE: Duration = Duration::from_secs(60);

/// A host that knows a portal, and a customer of it.
struct Market {
    fleet: Fleet,
    portal: Portal,
    customer: Customer,
    org: String,
    order: String,
}

impl Market {
    /// The customer has paid for `plan`, and the host has the licence.
    async fn of(engines: &[&str], plan: &str) -> Result<Self> {
        let port = free_port()?;
        let fleet = Fleet::with(&[], |settings| {
            settings.config = format!("[marketplace]\nurl = \"http://127.0.0.1:{port}\"\n");
        })
        .await?;
        let portal = Portal::start(&fleet.folder.path().join("portal"), port, engines).await?;
        let customer = Customer::sign_up(&portal.url, "marta", Some("Marta & Co")).await?;
        let (org, order) = customer.buy(plan).await?;
        fleet.host.install_license(&customer.license(&org).await?).await?;
        Ok(Self { fleet, portal, customer, org, order })
    }

    async fn refresh(&self) -> Result<Value> {
        self.fleet.admin.post("/marketplace/-/refresh", &Value::Null).await
    }

    async fn offer(&self, engine: &str) -> Result<Value> {
        self.fleet.admin.get(&format!("/marketplace/engines/{engine}")).await
    }

    async fn install(&self, engine: &str) -> Result<Value> {
        self.fleet.admin.post(&format!("/marketplace/engines/{engine}/install"), &json!({})).await
    }

    /// The newest download, once it has ended.
    async fn ended(&self) -> Result<Value> {
        wait::until("the end of the download", PATIENCE, || async {
            let list = self.fleet.admin.get("/marketplace/downloads").await?;
            let newest = list["items"][0].clone();
            Ok(["done", "failed"].iter().any(|s| newest["state"] == *s).then_some(newest))
        })
        .await
    }

    async fn version_in_use(&self, engine: &str, version: &str) -> Result<()> {
        wait::until(&format!("{engine} {version}"), PATIENCE, || async {
            let report = self.fleet.admin.get(&format!("/engines/{engine}")).await?;
            if report["version"] == version && report["state"] == "active" {
                return Ok(Some(()));
            }
            bail!("{report}");
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_is_bought_found_installed_updated_withdrawn_and_refunded() -> Result<()> {
    let market = Market::of(&["automation", "example"], "professional-year").await?;
    let Market { fleet, portal, customer, org, order } = &market;
    let status = market.refresh().await?;
    ensure!(status["problem"].is_null() && status["broken"] == json!([]), "{status}");

    // `automation` is of a higher tier: it is shown, and not given.
    let above = market.offer("automation").await?;
    ensure!(above["entitled"]["reason"] == "engine_not_included", "{above}");
    let refused = fleet.admin.try_post("/marketplace/engines/automation/install", &json!({})).await?;
    ensure!(refused.status == 402 && refused.code() == "license_required", "{refused:?}");

    let offer = market.offer("example").await?;
    ensure!(offer["entitled"]["state"] == "granted" && offer["compatible"]["ok"] == true, "{offer}");
    market.install("example").await?;
    let ended = market.ended().await?;
    ensure!(ended["state"] == "done" && ended["received"] == ended["size"], "{ended}");
    fleet.host.engine_state("example", "active").await?;

    // A new version installs itself, because the policy says so.
    let package = packages::read("example")?;
    let next = packages::bumped(&package)?;
    let version = next.manifest().version.to_string();
    let file = fleet.folder.path().join("next.engine");
    std::fs::write(&file, packages::signed(&next)?)?;
    portal.publish_beta(&file)?;
    let policy = json!({"channel": "beta", "mode": "install", "contact": false});
    fleet.admin.send(fleet.admin.request(Method::PUT, "/marketplace/policy").json(&policy)).await?;
    wait::until("the new version in the catalogue", PATIENCE, || async {
        market.refresh().await?;
        let offer = market.offer("example").await?;
        Ok((offer["newest"] == version).then_some(()))
    })
    .await?;
    market.version_in_use("example", &version).await?;

    // What is withdrawn is offered no more; what runs goes on.
    portal.yank("example", &version)?;
    wait::until("the version to be gone from the catalogue", PATIENCE, || async {
        market.refresh().await?;
        let offer = market.offer("example").await?;
        Ok((offer["newest"] != version && offer["update_available"] == false).then_some(()))
    })
    .await?;
    market.version_in_use("example", &version).await?;

    // The money goes back: the portal tells the host when it calls, and the engine only reads from then on.
    let vendor = Customer::sign_up(&portal.url, "vera", None).await?;
    portal.make_staff("vera@example.org")?;
    customer.refund(&vendor, org, order).await?;
    let policy = json!({"channel": "stable", "mode": "notify", "contact": true});
    fleet.admin.send(fleet.admin.request(Method::PUT, "/marketplace/policy").json(&policy)).await?;
    fleet.host.engine_state("example", "read_only").await?;
    let status = fleet.admin.get("/marketplace").await?;
    ensure!(status["contact"]["last_at"].is_string() && status["contact"]["problem"].is_null(), "{status}");
    fleet.still_serves().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_dies_in_the_middle_of_a_download_harms_nothing() -> Result<()> {
    let mut market = Market::of(&["example"], "professional-year").await?;
    market.refresh().await?;
    market.install("example").await?;
    market.portal.process.kill();
    // Whatever had come by then: the host serves, and the download goes on once the portal is back.
    market.fleet.still_serves().await?;
    let offers = market.fleet.admin.get("/marketplace/engines").await?;
    ensure!(offers["items"][0]["id"] == "example", "reads do not need the portal: {offers}");
    market.portal.restart().await?;
    let ended = market.ended().await?;
    if ended["state"] == "failed" {
        ensure!(ended["error"]["code"] == "unreachable", "{ended}");
        market.install("example").await?;
        let again = market.ended().await?;
        ensure!(again["state"] == "done", "{again}");
    }
    market.fleet.host.engine_state("example", "active").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_without_a_network_takes_a_bundle() -> Result<()> {
    let market = Market::of(&["example"], "professional-year").await?;
    let Market { customer, org, .. } = &market;
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let path = format!("{org}/bundle?engines=example&targets={target}");
    let bundle = customer.call(Method::GET, &path, None).await?.error_for_status()?.bytes().await?;
    // Another host, which knows no portal and has no licence.
    let alone = Fleet::licensed(&[]).await?;
    let file = alone.folder.path().join("all.bundle");
    std::fs::write(&file, &bundle)?;
    let program = bins::binary("sysmanage")?;
    let output = std::process::Command::new(program)
        .arg("--data-dir")
        .arg(&alone.host.settings.data)
        .args(["--json", "engine", "import"])
        .arg(&file)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let brought: Value = serde_json::from_slice(&output.stdout).context("an answer")?;
    ensure!(brought["license"] == true && brought["engines"][0]["problem"].is_null(), "{brought}");
    alone.host.engine_state("example", "active").await?;
    Ok(())
}
