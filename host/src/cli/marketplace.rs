//! `sysmanage marketplace`, and the commands of `sysmanage engine` that ask the portal.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use super::{
    Session,
    client::{Body, Client, encoded},
};

/// How often a download is asked about.
const LOOK: Duration = Duration::from_millis(300);
/// Characters of the bar.
const BAR: usize = 30;

/// The portal that engines come from.
#[derive(Debug, Subcommand)]
pub(super) enum MarketplaceCommand {
    /// Show the portal, when it was seen, and what the host does by itself.
    Status,
    /// Look at the portal's catalogue now.
    Refresh,
    /// Show or change what the host does by itself.
    Policy(PolicyArgs),
    /// List downloads.
    Downloads,
}

/// What the host does by itself; what is not named stays.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// Which versions are offered.
    #[arg(long)]
    channel: Option<Channel>,
    /// What is done about updates.
    #[arg(long)]
    mode: Option<Mode>,
    /// Days on which updates may install themselves, e.g. mon,tue; with --from and --to.
    #[arg(long, value_delimiter = ',', requires_all = ["from", "to"])]
    days: Vec<Day>,
    /// Beginning of the window, HH:MM by the host's local time.
    #[arg(long, requires_all = ["days", "to"])]
    from: Option<String>,
    /// End of the window, HH:MM; no later than --from means on the next day.
    #[arg(long, requires_all = ["days", "from"])]
    to: Option<String>,
    /// Let updates install themselves at any time.
    #[arg(long, conflicts_with_all = ["days", "from", "to"])]
    any_time: bool,
    /// Whether the portal is told every day which engines run and how many machines there are.
    #[arg(long)]
    contact: Option<bool>,
}

/// A channel.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Channel {
    /// For everybody.
    Stable,
    /// Before it is for everybody.
    Beta,
    /// Kept for long.
    Lts,
}

/// What is done about updates.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// Nothing.
    Off,
    /// People are told.
    Notify,
    /// They are installed, within the window.
    Install,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

fn name(value: impl ValueEnum) -> Value {
    value.to_possible_value().map(|v| v.get_name().to_owned()).into()
}

impl MarketplaceCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::Status => show(session, &client.get("/api/v1/marketplace").await?),
            Self::Refresh => show(session, &client.post("/api/v1/marketplace/-/refresh", Value::Null).await?),
            Self::Policy(args) => args.run(session, &client).await,
            Self::Downloads => {
                let list = client.get("/api/v1/marketplace/downloads").await?;
                let columns =
                    ["engine", "version", "state", "received", "size", "actor_name", "error.detail"];
                session.out.table(&list, &columns)
            }
        }
    }
}

fn show(session: &Session, status: &Value) -> anyhow::Result<()> {
    session.out.thing(status)?;
    if !session.out.json && status["configured"] == false {
        session.out.line(
            "\nNo portal is configured: set marketplace.url in sysmanage.toml, or bring engines with",
        )?;
        session.out.line("`sysmanage engine install FILE` and `sysmanage engine import BUNDLE`.")?;
    }
    Ok(())
}

impl PolicyArgs {
    fn changes(&self) -> bool {
        let Self { channel, mode, days, any_time, contact, .. } = self;
        channel.is_some() || mode.is_some() || !days.is_empty() || *any_time || contact.is_some()
    }

    async fn run(self, session: &Session, client: &Client) -> anyhow::Result<()> {
        let mut policy = client.get("/api/v1/marketplace").await?["policy"].clone();
        if !self.changes() {
            return session.out.thing(&policy);
        }
        if let Some(channel) = self.channel {
            policy["channel"] = name(channel);
        }
        if let Some(mode) = self.mode {
            policy["mode"] = name(mode);
        }
        if !self.days.is_empty() {
            let days: Vec<Value> = self.days.iter().map(|day| name(*day)).collect();
            policy["window"] = json!({"days": days, "from": self.from, "to": self.to});
        }
        if self.any_time {
            policy["window"] = Value::Null;
        }
        if let Some(contact) = self.contact {
            policy["contact"] = contact.into();
        }
        let answer = client.call(Method::PUT, "/api/v1/marketplace/policy", Body::Json(policy)).await?;
        session.out.thing(&answer["policy"])
    }
}

/// `engine search`.
pub(super) async fn search(session: &Session, client: &Client, text: Option<&str>) -> anyhow::Result<()> {
    let mut list = client.get("/api/v1/marketplace/engines").await?;
    if let (Some(text), Some(items)) = (text.map(str::to_lowercase), list["items"].as_array_mut()) {
        let holds = |item: &Value, member: &str| {
            item[member].as_str().is_some_and(|value| value.to_lowercase().contains(&text))
        };
        items.retain(|item| ["id", "name", "description", "publisher"].iter().any(|m| holds(item, m)));
    }
    let columns =
        ["id", "newest", "installed", "update_to", "tier", "entitled.state", "compatible.ok", "description"];
    session.out.table(&list, &columns)?;
    if !session.out.json && list["items"].as_array().is_some_and(Vec::is_empty) {
        let status = client.get("/api/v1/marketplace").await?;
        let advice = match (&status["configured"], &status["checked_at"]) {
            (Value::Bool(false), _) => "No portal is configured: set marketplace.url in sysmanage.toml.",
            (_, Value::Null) => "The portal was not seen yet: `sysmanage marketplace refresh`.",
            _ => "Nothing in the portal's catalogue fits.",
        };
        session.out.line(advice)?;
    }
    Ok(())
}

/// What `engine install` is to install.
pub(super) enum Wanted {
    /// A package.
    File(PathBuf),
    /// An engine of the portal.
    Engine(String, Option<String>),
}

impl Wanted {
    /// A file when there is one of this name or it is written as one; else an engine's id, with `@VERSION` or without.
    pub fn of(text: &str) -> Self {
        let path = Path::new(text);
        if path.is_file() || text.contains('/') || path.extension().is_some_and(|e| e == "engine") {
            return Self::File(path.to_owned());
        }
        match text.split_once('@') {
            Some((id, version)) => Self::Engine(id.into(), Some(version.into())),
            None => Self::Engine(text.into(), None),
        }
    }
}

/// Install an engine of the portal and follow it to its end.
pub(super) async fn install(
    session: &Session,
    client: &Client,
    id: &str,
    version: Option<&str>,
) -> anyhow::Result<()> {
    let ended = fetch(session, client, id, version).await?;
    let done = format!("{} {}: installed", text(&ended["engine"]), text(&ended["version"]));
    session.out.done(&ended, &done)
}

/// The same; the download as it ended.
async fn fetch(session: &Session, client: &Client, id: &str, version: Option<&str>) -> anyhow::Result<Value> {
    let path = format!("/api/v1/marketplace/engines/{}/install", encoded(id));
    let begun = client.post(&path, json!({"version": version})).await?;
    let mut bar = Bar::new(session);
    let ended = loop {
        let list = client.get("/api/v1/marketplace/downloads").await?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let Some(now) = items.into_iter().find(|d| d["id"] == begun["id"]) else {
            bail!("the host no longer knows the download; look at `sysmanage engine show {id}`");
        };
        bar.show(&now)?;
        if matches!(now["state"].as_str(), Some("done" | "failed")) {
            break now;
        }
        tokio::time::sleep(LOOK).await;
    };
    bar.end()?;
    if ended["state"] == "failed" {
        let error = &ended["error"];
        if session.out.json {
            session.out.json(&ended)?;
        }
        bail!(
            "{} {} was not installed; what was in use goes on. {} ({})",
            text(&ended["engine"]),
            text(&ended["version"]),
            text(&error["detail"]),
            text(&error["code"]),
        );
    }
    Ok(ended)
}

/// `engine update`.
pub(super) async fn update(
    session: &Session,
    client: &Client,
    ids: &[String],
    check: bool,
) -> anyhow::Result<()> {
    let list = client.get("/api/v1/marketplace/engines").await?;
    let items = list["items"].as_array().cloned().unwrap_or_default();
    for id in ids {
        let known = items.iter().find(|item| item["id"] == **id);
        let known = known.with_context(|| {
            format!("the portal lists no engine `{id}`; look again with `sysmanage marketplace refresh`")
        })?;
        if known["installed"].is_null() {
            bail!("`{id}` is not installed: `sysmanage engine install {id}`");
        }
    }
    let wanted = |item: &&Value| ids.is_empty() || ids.iter().any(|id| item["id"] == **id);
    let due: Vec<Value> =
        items.iter().filter(wanted).filter(|i| i["update_available"] == true).cloned().collect();
    if check {
        return session.out.table(&json!(due), &["id", "installed", "update_to", "newest"]);
    }
    if due.is_empty() {
        return session.out.done(&json!([]), "everything that was asked for is up to date");
    }
    let (mut ended, mut failed) = (Vec::new(), Vec::new());
    for item in &due {
        let id = item["id"].as_str().unwrap_or_default();
        match fetch(session, client, id, item["update_to"].as_str()).await {
            Ok(download) => {
                if !session.out.json {
                    session.out.line(&format!(
                        "{id}: {} -> {}",
                        text(&item["installed"]),
                        text(&download["version"])
                    ))?;
                }
                ended.push(download);
            }
            // One engine that does not come up does not keep the others back.
            Err(error) if due.len() > 1 => {
                writeln!(std::io::stderr(), "error: {error:#}")?;
                failed.push(id.to_owned());
            }
            Err(error) => return Err(error),
        }
    }
    if session.out.json {
        session.out.json(&ended)?;
    }
    if failed.is_empty() { Ok(()) } else { bail!("not updated: {}", failed.join(", ")) }
}

/// `engine import`.
pub(super) async fn import(session: &Session, client: &Client, file: &Path) -> anyhow::Result<()> {
    let body = Body::File(file.to_owned());
    let answer = client.call(Method::POST, "/api/v1/marketplace/-/import", body).await?;
    if session.out.json {
        return session.out.json(&answer);
    }
    for (member, what) in [("license", "licence"), ("revocations", "revocation list")] {
        if answer[member] == true {
            session.out.line(&format!("{what}: new, in force"))?;
        }
    }
    session.out.table(&answer["engines"], &["engine", "version", "state", "problem.detail"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Progress on a terminal; nothing where nobody looks.
struct Bar {
    shown: bool,
    live: bool,
}

impl Bar {
    fn new(session: &Session) -> Self {
        Self { shown: false, live: !session.out.json && std::io::stderr().is_terminal() }
    }

    fn show(&mut self, download: &Value) -> anyhow::Result<()> {
        if !self.live {
            return Ok(());
        }
        self.shown = true;
        let line = bar(download);
        let mut out = std::io::stderr();
        // Back to the line's beginning, and nothing of the longer line before is left.
        write!(out, "\r{line}\x1b[K")?;
        Ok(out.flush()?)
    }

    fn end(&mut self) -> anyhow::Result<()> {
        if self.shown {
            writeln!(std::io::stderr())?;
        }
        Ok(())
    }
}

/// `automation 1.2.0  [########------]  57 %  11.4 of 20.0 MiB`
fn bar(download: &Value) -> String {
    let (received, size) =
        (download["received"].as_u64().unwrap_or(0), download["size"].as_u64().unwrap_or(0).max(1));
    let part = received.min(size);
    let full = usize::try_from(part * BAR as u64 / size).unwrap_or(BAR);
    let mib = |bytes: u64| format!("{}.{}", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20);
    let what = match download["state"].as_str() {
        Some("downloading") if download["error"].is_object() => "  waits, and tries again".to_owned(),
        Some("downloading") => format!("  {} of {} MiB", mib(received), mib(size)),
        state => format!("  {}", state.unwrap_or_default()),
    };
    format!(
        "{} {}  [{}{}]  {:>3} %{what}",
        text(&download["engine"]),
        text(&download["version"]),
        "#".repeat(full),
        "-".repeat(BAR - full),
        part * 100 / size,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_how_far_a_download_is() {
        let at = |received: u64| {
            bar(&json!({"engine": "automation", "version": "1.2.0", "state": "downloading",
                "received": received, "size": 20 << 20}))
        };
        assert_eq!(at(0), "automation 1.2.0  [------------------------------]    0 %  0.0 of 20.0 MiB");
        assert_eq!(
            at(10 << 20),
            "automation 1.2.0  [###############---------------]   50 %  10.0 of 20.0 MiB"
        );
        assert_eq!(
            at(20 << 20),
            "automation 1.2.0  [##############################]  100 %  20.0 of 20.0 MiB"
        );
        assert!(bar(&json!({"state": "verifying", "received": 9, "size": 0})).ends_with("100 %  verifying"));
        assert!(
            bar(&json!({"engine": "a\x1b[2J"})).starts_with("a?[2J"),
            "an answer does not steer the terminal"
        );
    }

    #[test]
    fn what_is_to_be_installed_is_a_file_or_an_engine() {
        let engine = |text: &str| match Wanted::of(text) {
            Wanted::Engine(id, version) => (id, version),
            Wanted::File(file) => panic!("{}", file.display()),
        };
        assert_eq!(engine("automation"), ("automation".into(), None));
        assert_eq!(engine("automation@1.2.0"), ("automation".into(), Some("1.2.0".into())));
        for file in ["automation-1.2.0.engine", "./automation", "/tmp/x"] {
            assert!(matches!(Wanted::of(file), Wanted::File(_)), "{file}");
        }
    }
}
