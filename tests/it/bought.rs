//! An engine is bought: from signing up at the portal to the host that runs it, and back when the money goes back.

use anyhow::{Context, Result, ensure};
use e2e::portal::{Customer, Portal, free_port};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::Fleet;

/// Where an engine's library for this machine is downloaded.
fn download(org: &str, engine: &str) -> String {
    format!("{org}/engines/{engine}/0.1.0/{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Put the newest edition of the customer's licence into the host.
async fn license(customer: &Customer, org: &str, fleet: &Fleet) -> Result<()> {
    fleet.host.install_license(&customer.license(org).await?).await.map(drop)
}

/// Download an engine as the customer, and bring it into the host.
async fn install(customer: &Customer, org: &str, engine: &str, fleet: &Fleet) -> Result<()> {
    let file = customer.call(Method::GET, &download(org, engine), None).await?.error_for_status()?;
    let uploaded = fleet.upload(file.bytes().await?.into()).await?;
    ensure!(uploaded.status.is_success(), "{uploaded:?}");
    fleet.host.engine_state(engine, "active").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_runs_on_the_host_and_what_is_refunded_does_not() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    let data = fleet.folder.path().join("portal");
    let portal = Portal::start(&data, free_port()?, &["automation", "example"]).await?;
    let customer = Customer::sign_up(&portal.url, "marta", Some("Marta & Co")).await?;
    let org = customer.get("/organisations").await?["items"][0]["id"].as_str().context("id")?.to_owned();
    let org = format!("/organisations/{org}");

    let order =
        customer.post(&format!("{org}/orders"), &json!({"plan": "professional-year", "machines": 5})).await?;
    let order = order["id"].as_str().context("id")?.to_owned();
    let unpaid = customer.call(Method::GET, &download(&org, "example"), None).await?;
    ensure!(unpaid.status() == StatusCode::PAYMENT_REQUIRED, "{unpaid:?}");
    customer.post(&format!("{org}/orders/{order}/test-payment"), &Value::Null).await?;
    license(&customer, &org, &fleet).await?;
    install(&customer, &org, "example", &fleet).await?;

    // `automation` is of a higher tier.
    let above = download(&org, "automation");
    let refused = customer.call(Method::GET, &above, None).await?;
    ensure!(refused.status() == StatusCode::PAYMENT_REQUIRED, "{refused:?}");
    customer.post(&format!("{org}/orders/{order}/change"), &json!({"tier": "enterprise"})).await?;
    license(&customer, &org, &fleet).await?;
    install(&customer, &org, "automation", &fleet).await?;

    let vendor = Customer::sign_up(&portal.url, "vera", None).await?;
    Portal::staff(&data, "vera@example.org")?;
    customer.refund(&vendor, &org, &order).await?;
    license(&customer, &org, &fleet).await?;
    for engine in ["example", "automation"] {
        fleet.host.engine_state(engine, "read_only").await?;
    }
    let again = customer.call(Method::GET, &above, None).await?;
    ensure!(again.status() == StatusCode::PAYMENT_REQUIRED, "{again:?}");
    Ok(())
}
