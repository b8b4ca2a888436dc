//! A whole fleet on this machine, from nothing to a scripted run: what `cargo xtask demo` starts.
#![allow(clippy::print_stdout)] // It tells a person where to look.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Parser;
use data_encoding::BASE32_NOPAD;
use e2e::{
    agent::{self, Agent},
    bins,
    host::{ADMIN, Host, Settings},
    portal::{Customer, PASSWORD, Portal},
    tokens,
};
use serde::{Deserialize, Serialize};

const ENGINES: [&str; 3] = ["automation", "example", "proplus_core"];
/// What the demo buys at its portal, where it has one.
const BOUGHT: &str = "automation";
const PLAN: &str = "enterprise-year";
const CUSTOMER: &str = "demo";
const MACHINE: &str = "this-machine";

/// A demo fleet on loopback.
#[derive(Parser)]
struct Options {
    /// Folder for its data.
    #[arg(long)]
    data: PathBuf,
    /// Port of the host; the agents' gateway takes the next one.
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// Port of a portal; none is started without.
    #[arg(long)]
    portal_port: Option<u16>,
    /// Begin with an empty folder.
    #[arg(long)]
    fresh: bool,
    /// Stop once everything is up.
    #[arg(long)]
    once: bool,
}

/// Kept between runs, readable by its owner only.
#[derive(Serialize, Deserialize)]
struct Login {
    password: String,
    token: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    if options.fresh && options.data.exists() {
        fs::remove_dir_all(&options.data).with_context(|| options.data.display().to_string())?;
    }
    fs::create_dir_all(&options.data)?;
    let data = options.data.canonicalize()?;
    let mut portal = match options.portal_port {
        Some(port) => {
            println!("starting the portal ...");
            Some(Portal::start(&data.join("portal"), port, &ENGINES).await?)
        }
        None => None,
    };
    let mut host = start_host(&data, options.port, portal.as_ref()).await?;
    let login = login(&host, &data).await?;
    let carried: Vec<&str> =
        ENGINES.into_iter().filter(|engine| portal.is_none() || *engine != BOUGHT).collect();
    install(&host, &data, &carried).await?;
    if let Some(portal) = &portal {
        buy(&host, portal).await?;
    }
    let mut agent = start_agent(&host, &data).await?;
    for engine in ENGINES {
        host.engine_state(engine, "active").await?;
    }
    tell(&host, &data, &login, portal.as_ref()).await?;
    if !options.once {
        tokio::signal::ctrl_c().await?;
        println!("\nstopping");
    }
    if let Some(portal) = &mut portal {
        portal.process.terminate(Duration::from_secs(10))?;
    }
    agent.process.terminate(Duration::from_secs(10))?;
    host.process.terminate(Duration::from_secs(30))?;
    Ok(())
}

async fn start_host(data: &Path, port: u16, portal: Option<&Portal>) -> Result<Host> {
    println!("starting the host ...");
    let config =
        portal.map(|portal| format!("[marketplace]\nurl = \"{}\"\n", portal.url)).unwrap_or_default();
    let settings = Settings { port, agents_port: port + 1, config, ..Settings::new(&data.join("host"))? };
    Host::start(settings).await
}

/// Buy an engine at the portal by the test payment, and let the host download and install it; once.
async fn buy(host: &Host, portal: &Portal) -> Result<()> {
    let local = host.local()?;
    let engines = local.get("/engines").await?;
    if engines["items"].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == BOUGHT)) {
        return Ok(());
    }
    println!("buying {BOUGHT} at the portal, and installing it from there ...");
    let customer = Customer::sign_up(&portal.url, CUSTOMER, Some("Demo & Co")).await?;
    let (organisation, _) = customer.buy(PLAN).await?;
    host.install_license(&customer.license(&organisation).await?).await?;
    local.post("/marketplace/-/refresh", &serde_json::Value::Null).await?;
    local.post(&format!("/marketplace/engines/{BOUGHT}/install"), &serde_json::json!({})).await?;
    e2e::wait::until("the end of the download", Duration::from_secs(120), || async {
        let list = local.get("/marketplace/downloads").await?;
        let download = &list["items"][0];
        match download["state"].as_str() {
            Some("done") => Ok(Some(())),
            state => anyhow::bail!("{state:?}: {}", download["error"]),
        }
    })
    .await
}

/// Set the host up, or read what the first run wrote.
async fn login(host: &Host, data: &Path) -> Result<Login> {
    let file = data.join("login.json");
    if let Ok(text) = fs::read(&file) {
        return Ok(serde_json::from_slice(&text)?);
    }
    let password = BASE32_NOPAD.encode(uuid::Uuid::new_v4().as_bytes()).to_lowercase();
    let (_, token) = host.set_up(&password).await?;
    let login = Login { password, token };
    write_private(&file, &serde_json::to_vec(&login)?)?;
    Ok(login)
}

fn write_private(file: &Path, content: &[u8]) -> Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut out = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(file)?;
    Ok(out.write_all(content)?)
}

/// License the engines and drop their packages into the host's folder.
async fn install(host: &Host, data: &Path, engines: &[&str]) -> Result<()> {
    println!("installing a development licence and the engines {} ...", engines.join(", "));
    let current = host.local()?.get("/license").await?;
    if current["licenses"].as_array().is_none_or(Vec::is_empty) {
        let license = tokens::sign(&tokens::claims(engines))?;
        host.install_license(&license).await?;
        write_private(&data.join("license.jws"), license.as_bytes())?;
    }
    let drop_in = host.settings.data.join("engines");
    fs::create_dir_all(&drop_in)?;
    for engine in engines {
        let package = bins::package(engine)?;
        let name = package.file_name().context("a package has a name")?;
        fs::copy(&package, drop_in.join(name))?;
    }
    Ok(())
}

async fn start_agent(host: &Host, data: &Path) -> Result<Agent> {
    println!("starting an agent on this machine ...");
    let folder = data.join("agent");
    if !folder.join("enrolled").exists() {
        let agent = Agent::start(host, &folder, MACHINE).await?;
        fs::write(folder.join("enrolled"), &agent.machine)?;
        return Ok(agent);
    }
    let process = agent::run(&folder)?;
    let machine = agent::online(host, MACHINE).await?;
    Ok(Agent { data: folder, machine, process, place: agent::Place::default() })
}

async fn tell(host: &Host, data: &Path, login: &Login, portal: Option<&Portal>) -> Result<()> {
    let authority = host.local()?.get("/authority").await?;
    let ca = data.join("ca.pem");
    fs::write(&ca, authority["certificate_pem"].as_str().context("certificate_pem")?)?;
    println!();
    println!("  URL       {}", host.url());
    println!("  login     {ADMIN} / {}", login.password);
    println!("  machine   {MACHINE}: approved and online");
    for engine in ENGINES {
        println!("  engine    {engine}: active");
    }
    if let Some(portal) = portal {
        println!(
            "  portal    {}: {CUSTOMER}@example.org / {PASSWORD}; {BOUGHT} was bought there",
            portal.url
        );
    }
    println!();
    println!("  for curl  H={} T={} C={}", host.url(), login.token, ca.display());
    println!("  CLI       sysmanage --data-dir {} engine list", host.settings.data.display());
    println!();
    println!("Ctrl-C stops it; the data stay in {}.", data.display());
    Ok(())
}
