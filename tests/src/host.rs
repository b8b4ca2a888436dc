//! A host process on a temporary folder, set up and ready, and how to break it.

use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{agent, api::Api, bins, process::Process, wait};

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Name of the administrator that [`Host::set_up`] makes.
pub const ADMIN: &str = "admin";

/// Where and how a host runs.
#[derive(Clone)]
pub struct Settings {
    /// Data folder.
    pub data: PathBuf,
    /// Address of both listeners.
    pub address: IpAddr,
    /// Port of the API.
    pub port: u16,
    /// Port of the agent gateway.
    pub agents_port: u16,
    /// More lines of `sysmanage.toml`.
    pub config: String,
    /// More environment.
    pub environment: Vec<(String, String)>,
    /// What starts the program, before its name.
    pub launcher: Vec<String>,
}

impl Settings {
    /// Free loopback ports and a data folder.
    ///
    /// # Errors
    /// When no port is free.
    pub fn new(data: &Path) -> Result<Self> {
        let (a, b) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let (port, agents_port) = (a.local_addr()?.port(), b.local_addr()?.port());
        Ok(Self {
            data: data.to_owned(),
            address: Ipv4Addr::LOCALHOST.into(),
            port,
            agents_port,
            config: String::new(),
            environment: Vec::new(),
            launcher: Vec::new(),
        })
    }
}

/// A running host.
pub struct Host {
    /// Settings, kept over restarts.
    pub settings: Settings,
    /// The process.
    pub process: Process,
}

impl Host {
    /// Start and wait until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time; its log is in the message.
    pub async fn start(settings: Settings) -> Result<Self> {
        let process = spawn(&settings)?;
        let mut host = Self { settings, process };
        host.ready().await?;
        Ok(host)
    }

    /// Start again on the same folder and ports, after a kill.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = spawn(&self.settings)?;
        self.ready().await
    }

    async fn ready(&mut self) -> Result<()> {
        let local = self.local()?;
        let end = tokio::time::Instant::now() + START;
        loop {
            if let Some(status) = self.process.ended()? {
                bail!("the host ended ({status}):\n{}", self.process.tail(20));
            }
            if local.probe("/readyz").await.is_ok_and(|status| status.is_success()) {
                return Ok(());
            }
            if tokio::time::Instant::now() > end {
                bail!("the host is not ready after {START:?}:\n{}", self.process.tail(20));
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The API through the admin socket: everything is allowed.
    ///
    /// # Errors
    /// When a client cannot be built.
    pub fn local(&self) -> Result<Api> {
        Api::local(&self.settings.data.join("admin.sock"))
    }

    /// `https://localhost:<port>`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.settings.port)
    }

    /// Do the first-run set-up and log in; the answer is a client with an administrator's API token.
    ///
    /// # Errors
    /// When a step fails.
    pub async fn set_up(&self, password: &str) -> Result<(Api, String)> {
        let local = self.local()?;
        let link = local.post("/setup/link", &json!({})).await?;
        let admin = json!({ "token": link["token"], "name": ADMIN, "password": password });
        let api = self.api().await?;
        api.post("/setup", &admin).await?;
        let token = self.token(&api, ADMIN, password).await?;
        Ok((api.with_token(&token), token))
    }

    /// Log in and make an API token with all of the user's permissions.
    ///
    /// # Errors
    /// When the login is refused.
    pub async fn token(&self, api: &Api, name: &str, password: &str) -> Result<String> {
        let login =
            api.request(Method::POST, "/session").json(&json!({ "name": name, "password": password }));
        let response = login.send().await?.error_for_status().context("log in")?;
        let cookie =
            response.headers()["set-cookie"].to_str()?.split(';').next().unwrap_or_default().to_owned();
        let request =
            api.request(Method::POST, "/tokens").header("cookie", cookie).header("origin", self.url());
        let answer = api.send(request.json(&json!({ "name": "end-to-end" }))).await?;
        answer.body["secret"].as_str().map(str::to_owned).with_context(|| format!("no token in {answer:?}"))
    }

    /// A client without credential that trusts the internal CA.
    ///
    /// # Errors
    /// When the CA cannot be read.
    pub async fn api(&self) -> Result<Api> {
        let authority = self.local()?.get("/authority").await?;
        let pem = authority["certificate_pem"].as_str().context("certificate_pem")?;
        Api::new(&self.url(), pem.as_bytes())
    }

    /// The internal CA's fingerprint, which agents pin.
    ///
    /// # Errors
    /// When the host does not answer.
    pub async fn ca_fingerprint(&self) -> Result<String> {
        let authority = self.local()?.get("/authority").await?;
        Ok(authority["fingerprint"].as_str().context("fingerprint")?.to_owned())
    }

    /// An enrolment token.
    ///
    /// # Errors
    /// When the host refuses.
    pub async fn enrolment_token(&self, request: &Value) -> Result<String> {
        let made = self.local()?.post("/enrolment-tokens", request).await?;
        Ok(made["token"].as_str().context("token")?.to_owned())
    }

    /// Install a licence.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn install_license(&self, token: &str) -> Result<Value> {
        let local = self.local()?;
        let request = local.request(Method::PUT, "/license").body(token.to_owned());
        let answer = local.send(request).await?;
        if !answer.status.is_success() {
            bail!("the licence was refused: {}", answer.body);
        }
        Ok(answer.body)
    }

    /// Wait until an engine is in `state`.
    ///
    /// # Errors
    /// When it never is; the last answer is in the message.
    pub async fn engine_state(&self, id: &str, state: &str) -> Result<Value> {
        let local = self.local()?;
        wait::until(&format!("engine {id} to be {state}"), Duration::from_secs(60), || async {
            let engine = local.get(&format!("/engines/{id}")).await?;
            if engine["state"] == state {
                return Ok(Some(engine));
            }
            bail!("it is {}", engine);
        })
        .await
    }

    /// Run the CLI on this host's folder: status, standard output, standard error.
    ///
    /// # Errors
    /// When it does not start.
    pub fn cli(&self, args: &[&str]) -> Result<(bool, String, String)> {
        let out = Command::new(bins::binary("sysmanage")?)
            .arg("--data-dir")
            .arg(&self.settings.data)
            .args(args)
            .output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((out.status.success(), text(&out.stdout), text(&out.stderr)))
    }
}

fn spawn(settings: &Settings) -> Result<Process> {
    std::fs::create_dir_all(&settings.data)?;
    let config = settings.data.join("sysmanage.toml");
    let text = format!(
        "[http]\naddress = \"{0}\"\nport = {1}\n\n[agents]\naddress = \"{0}\"\nport = {2}\n\n{3}",
        settings.address, settings.port, settings.agents_port, settings.config
    );
    std::fs::write(&config, text)?;
    let mut command = agent::launched(&settings.launcher, &bins::binary("sysmanage")?);
    command.arg("--data-dir").arg(&settings.data).arg("--config").arg(&config).arg("serve");
    command.envs(settings.environment.iter().map(|(k, v)| (k, v)));
    Process::start(&mut command, &settings.data.join("host.log"))
}
