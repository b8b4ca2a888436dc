//! A portal on loopback with the engines that were packed.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::{api::provider, bins, process::Process};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Password of everybody who signs up here.
pub const PASSWORD: &str = "correct horse battery staple";
const CONFIG_FILE: &str = "portal.toml";
/// The test payment stands in for a card, and staff sign in without an authenticator.
const CONFIG: &str = "[auth]\nstaff_second_factor = false\n\n[payments]\ntest = true\n";

/// A running portal.
pub struct Portal {
    /// Its process.
    pub process: Process,
    /// Where it listens, plain HTTP.
    pub url: String,
    data: PathBuf,
    port: u16,
}

impl Portal {
    /// Publish these engines, unless they are, and serve them.
    ///
    /// # Errors
    /// When it does not start, or refuses a package.
    pub async fn start(data: &Path, port: u16, engines: &[&str]) -> Result<Self> {
        let releases = match data.join(CONFIG_FILE).exists() {
            true => done(command(data)?.arg("releases")).context("releases are not told")?,
            false => b"[]".to_vec(),
        };
        let releases: Vec<Value> = serde_json::from_slice(&releases)?;
        let new =
            engines.iter().filter(|engine| releases.iter().all(|release| release["engine"] != ***engine));
        let packages = new.map(|engine| bins::package(engine)).collect::<Result<Vec<_>>>()?;
        Self::start_with(data, port, &packages, CONFIG).await
    }

    /// Publish these packages and serve, configured like this.
    ///
    /// # Errors
    /// When it does not start, or refuses a package.
    pub async fn start_with(data: &Path, port: u16, packages: &[PathBuf], config: &str) -> Result<Self> {
        fs::create_dir_all(data)?;
        let reports: Vec<PathBuf> = packages.iter().map(|p| p.with_extension("conformance.json")).collect();
        // Packages of the tests have no reports: those of the demo do.
        let reported = reports.iter().all(|report| report.is_file());
        let rules = if reported { "" } else { "\n[releases]\nneeds_report = false\n" };
        fs::write(data.join(CONFIG_FILE), format!("{config}{rules}"))?;
        for (package, report) in packages.iter().zip(&reports) {
            let mut publish = command(data)?;
            publish.arg("publish").arg(package);
            if report.is_file() {
                publish.arg("--report").arg(report);
            }
            done(&mut publish).with_context(|| format!("{} is not published", package.display()))?;
        }
        let (process, url) = (serve(data, port)?, format!("http://127.0.0.1:{port}"));
        let mut portal = Self { process, url, data: data.to_owned(), port };
        portal.ready().await?;
        Ok(portal)
    }

    /// Start again on the same data and port, after a kill.
    ///
    /// # Errors
    /// As [`Portal::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = serve(&self.data, self.port)?;
        self.ready().await
    }

    async fn ready(&mut self) -> Result<()> {
        provider();
        let (begun, ready) = (Instant::now(), format!("{}/readyz", self.url));
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            if self.process.ended()?.is_some() || begun.elapsed() > PATIENCE {
                bail!("the portal does not serve:\n{}", self.process.tail(20));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Publish a package in the channel `beta`, which needs no report.
    ///
    /// # Errors
    /// When it is refused.
    pub fn publish_beta(&self, package: &Path) -> Result<()> {
        done(command(&self.data)?.arg("publish").arg(package).args(["--channel", "beta"])).map(drop)
    }

    /// Withdraw a version.
    ///
    /// # Errors
    /// When there is none.
    pub fn yank(&self, engine: &str, version: &str) -> Result<()> {
        done(command(&self.data)?.args(["yank", engine, version, "--reason", "a test"])).map(drop)
    }

    /// As [`Portal::staff`], of this portal.
    ///
    /// # Errors
    /// When nobody has this address.
    pub fn make_staff(&self, email: &str) -> Result<()> {
        Self::staff(&self.data, email)
    }

    /// Make somebody who has signed up one of the vendor's staff.
    ///
    /// # Errors
    /// When nobody has this address.
    pub fn staff(data: &Path, email: &str) -> Result<()> {
        done(command(data)?.args(["staff", email])).map(drop)
    }
}

fn serve(data: &Path, port: u16) -> Result<Process> {
    let log = data.join("portal.log");
    Process::start(command(data)?.args(["serve", "--port", &port.to_string()]), &log)
}

/// A port that nobody listens at.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Somebody who has signed up at the portal.
pub struct Customer {
    client: Client,
    url: String,
    cookie: String,
}

impl Customer {
    /// Sign up as `<name>@example.org`, with an organisation or without.
    ///
    /// # Errors
    /// When the portal refuses.
    pub async fn sign_up(url: &str, name: &str, organisation: Option<&str>) -> Result<Self> {
        provider();
        let client = Client::new();
        let email = format!("{name}@example.org");
        let body = json!({"email": email, "name": name, "password": PASSWORD, "organisation": organisation});
        let answer = client.post(format!("{url}/api/v1/sign-up")).json(&body).send().await?;
        let cookie = answer.headers().get("set-cookie").context("a session")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { client, url: url.into(), cookie })
    }

    /// Call, whatever the answer.
    ///
    /// # Errors
    /// When the portal does not answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.url));
        let request = request.header("cookie", &self.cookie);
        Ok(match body {
            Some(body) => request.json(body).send().await?,
            None => request.send().await?,
        })
    }

    /// GET.
    ///
    /// # Errors
    /// When the portal refuses.
    pub async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.call(Method::GET, path, None).await?.error_for_status()?.json().await?)
    }

    /// POST.
    ///
    /// # Errors
    /// When the portal refuses, with its words.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.call(Method::POST, path, Some(body)).await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Order a plan for five machines and pay by the test payment: the organisation's path and the order's id.
    ///
    /// # Errors
    /// When the portal refuses.
    pub async fn buy(&self, plan: &str) -> Result<(String, String)> {
        let organisations = self.get("/organisations").await?;
        let org = organisations["items"][0]["id"].as_str().context("an organisation")?;
        let org = format!("/organisations/{org}");
        let order = self.post(&format!("{org}/orders"), &json!({"plan": plan, "machines": 5})).await?;
        let order = order["id"].as_str().context("an order")?.to_owned();
        self.post(&format!("{org}/orders/{order}/test-payment"), &Value::Null).await?;
        Ok((org, order))
    }

    /// The newest edition of the organisation's licence.
    ///
    /// # Errors
    /// When there is none.
    pub async fn license(&self, org: &str) -> Result<String> {
        let licenses = self.get(&format!("{org}/licenses")).await?;
        let id = licenses["items"][0]["id"].as_str().context("a licence")?;
        let file = self.call(Method::GET, &format!("{org}/licenses/{id}/file"), None).await?;
        Ok(file.error_for_status()?.text().await?.trim().to_owned())
    }

    /// Let the vendor give back every payment of an order.
    ///
    /// # Errors
    /// When nothing was paid.
    pub async fn refund(&self, vendor: &Self, org: &str, order: &str) -> Result<()> {
        let history = self.get(&format!("{org}/orders/{order}/history")).await?;
        let entries = history["items"].as_array().context("a history")?;
        let paid = |entry: &&Value| entry["payment"].is_string() && entry["amount"].is_number();
        let paid: Vec<&Value> = entries.iter().filter(paid).collect();
        ensure!(!paid.is_empty(), "{history}");
        for event in paid {
            let refund = json!({"id": format!("refund-{}", event["payment"]), "kind": "refunded",
                "payment": event["payment"], "total": event["amount"]});
            vendor.post(&format!("/vendor/orders/{order}/events"), &refund).await?;
        }
        Ok(())
    }
}

/// The portal's program, on this data.
fn command(data: &Path) -> Result<Command> {
    let mut command = Command::new(bins::binary("sysmanage-portal")?);
    command.arg("--config").arg(data.join(CONFIG_FILE)).arg("--data-dir").arg(data);
    Ok(command)
}

/// Run it to its end; what it printed.
fn done(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().context("the portal's program")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
