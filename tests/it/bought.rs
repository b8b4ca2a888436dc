//! An engine is bought: from signing up at the portal to the host that runs it, and back when the money goes back.

use anyhow::{Context, Result, ensure};
use e2e::portal::Portal;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::fixture::Fleet;

const PASSWORD: &str = "correct horse battery staple";

/// Where an engine's library for this machine is downloaded.
fn download(org: &str, engine: &str) -> String {
    format!("{org}/engines/{engine}/0.1.0/{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Somebody who has signed up.
struct Person {
    client: Client,
    url: String,
    cookie: String,
}

impl Person {
    async fn sign_up(url: &str, name: &str, organisation: Option<&str>) -> Result<Self> {
        let client = Client::new();
        let email = format!("{name}@example.org");
        let body = json!({"email": email, "name": name, "password": PASSWORD, "organisation": organisation});
        let answer = client.post(format!("{url}/api/v1/sign-up")).json(&body).send().await?;
        let cookie = answer.headers().get("set-cookie").context("a session")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { client, url: url.into(), cookie })
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.url));
        let request = request.header("cookie", &self.cookie);
        Ok(match body {
            Some(body) => request.json(body).send().await?,
            None => request.send().await?,
        })
    }

    async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.call(Method::GET, path, None).await?.error_for_status()?.json().await?)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.call(Method::POST, path, Some(body)).await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

/// Put the newest edition of the customer's licence into the host.
async fn license(customer: &Person, org: &str, fleet: &Fleet) -> Result<()> {
    let licenses = customer.get(&format!("{org}/licenses")).await?;
    let id = licenses["items"][0]["id"].as_str().context("a licence")?;
    let file = customer.call(Method::GET, &format!("{org}/licenses/{id}/file"), None).await?;
    fleet.host.install_license(file.error_for_status()?.text().await?.trim()).await?;
    Ok(())
}

/// Download an engine as the customer, and bring it into the host.
async fn install(customer: &Person, org: &str, engine: &str, fleet: &Fleet) -> Result<()> {
    let file = customer.call(Method::GET, &download(org, engine), None).await?.error_for_status()?;
    let uploaded = fleet.upload(file.bytes().await?.into()).await?;
    ensure!(uploaded.status.is_success(), "{uploaded:?}");
    fleet.host.engine_state(engine, "active").await?;
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_runs_on_the_host_and_what_is_refunded_does_not() -> Result<()> {
    let fleet = Fleet::licensed(&[]).await?;
    let data = fleet.folder.path().join("portal");
    let portal = Portal::start(&data, free_port()?, &["automation", "example"]).await?;
    let customer = Person::sign_up(&portal.url, "marta", Some("Marta & Co")).await?;
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

    let vendor = Person::sign_up(&portal.url, "vera", None).await?;
    Portal::staff(&data, "vera@example.org")?;
    let history = customer.get(&format!("{org}/orders/{order}/history")).await?;
    let entries = history["items"].as_array().context("a history")?;
    let paid = |entry: &&Value| entry["payment"].is_string() && entry["amount"].is_number();
    let paid: Vec<&Value> = entries.iter().filter(paid).collect();
    ensure!(!paid.is_empty(), "{history}");
    for event in paid {
        let refund = json!({"id": format!("refund-{}", event["payment"]), "kind": "refunded",
            "payment": event["payment"], "total": event["amount"]});
        vendor.post(&format!("/vendor/orders/{order}/events"), &refund).await?;
    }
    license(&customer, &org, &fleet).await?;
    for engine in ["example", "automation"] {
        fleet.host.engine_state(engine, "read_only").await?;
    }
    let again = customer.call(Method::GET, &above, None).await?;
    ensure!(again.status() == StatusCode::PAYMENT_REQUIRED, "{again:?}");
    Ok(())
}
