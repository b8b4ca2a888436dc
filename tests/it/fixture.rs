//! A host that is set up, with a licence and an administrator's client.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use e2e::{
    api::{Answer, Api},
    bins,
    host::{Host, Settings},
    tokens, wait,
};
use licenses::Claims;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";

/// A fleet in a temporary folder; dropping it ends its processes.
pub struct Fleet {
    /// The host; dropped before its folder.
    pub host: Host,
    /// The administrator over HTTPS.
    pub admin: Api,
    /// Claims of the installed licence.
    pub claims: Claims,
    /// Everything's folder.
    pub folder: TempDir,
}

impl Fleet {
    /// A host with a licence for `engines`.
    pub async fn licensed(engines: &[&str]) -> Result<Self> {
        Self::with(engines, |_| ()).await
    }

    /// The same with other settings.
    pub async fn with(engines: &[&str], change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let folder = TempDir::new()?;
        let mut settings = Settings::new(&folder.path().join("host"))?;
        change(&mut settings);
        let host = Host::start(settings).await?;
        let (admin, _) = host.set_up(PASSWORD).await?;
        let claims = tokens::claims(engines);
        if !engines.is_empty() {
            host.install_license(&tokens::sign(&claims)?).await?;
        }
        Ok(Self { host, admin, claims, folder })
    }

    /// Drop a package into the running host's folder and wait until its engine is active.
    pub async fn drop_in(&self, engine: &str) -> Result<Value> {
        let package = bins::package(engine)?;
        let folder = self.host.settings.data.join("engines");
        std::fs::copy(&package, folder.join(package.file_name().context("name")?))?;
        self.host.engine_state(engine, "active").await
    }

    /// Upload a package, whatever the answer.
    pub async fn upload(&self, package: Vec<u8>) -> Result<Answer> {
        self.admin.send(self.admin.request(Method::POST, "/engines").body(package)).await
    }

    /// Install another licence.
    pub async fn license(&self, claims: &Claims) -> Result<()> {
        self.host.install_license(&tokens::sign(claims)?).await.map(|_| ())
    }

    /// An action on an engine that must succeed.
    pub async fn act(&self, engine: &str, action: &str, body: &Value) -> Result<Value> {
        self.admin.post(&format!("/engines/{engine}/-/{action}"), body).await
    }

    /// Wait for a machine that asks to join; the answer is its id.
    pub async fn pending_machine(&self) -> Result<String> {
        wait::until("a pending machine", Duration::from_secs(30), || async {
            let page = self.admin.get("/machines?q=state:pending").await?;
            Ok(page["items"][0]["id"].as_str().map(str::to_owned))
        })
        .await
    }

    /// The host still serves: what every refusal and crash must leave as it was.
    pub async fn still_serves(&self) -> Result<()> {
        self.admin.get("/me").await.map(|_| ())
    }
}

/// A script that prints a line.
pub fn script(name: &str, content: &str) -> Value {
    json!({ "name": name, "version": { "interpreter": "bash", "content": content } })
}

/// The status must be `status` and the problem's code `code`.
pub fn expect(answer: &Answer, status: u16, code: &str) -> Result<()> {
    if answer.status.as_u16() != status || answer.code() != code {
        bail!("expected {status} {code}, got {answer:?}");
    }
    Ok(())
}
