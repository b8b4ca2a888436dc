//! `sysmanage engine`.

use std::{fs::File, io::Write, path::PathBuf};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use super::{
    Session,
    client::{Body, Client, encoded},
    marketplace::{self, Wanted},
};

/// Engines.
#[derive(Debug, Subcommand)]
pub(super) enum EngineCommand {
    /// List engines and their states.
    List,
    /// Show an engine: state, reason, what to do.
    Show {
        /// Engine id.
        id: String,
    },
    /// List what the portal offers.
    Search {
        /// In id, name, description or publisher; everything when absent.
        text: Option<String>,
    },
    /// Install or upgrade: from a package, or from the portal.
    Install {
        /// The `.engine` file; or an engine's id, the newest version that suits or `ID@VERSION`.
        #[arg(value_name = "FILE|ID[@VERSION]")]
        what: String,
    },
    /// Bring installed engines up to date from the portal.
    #[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["ids", "all", "check"]))]
    Update {
        /// Engine ids.
        ids: Vec<String>,
        /// Every installed engine.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Only list what has an update.
        #[arg(long)]
        check: bool,
    },
    /// Take in an air-gap bundle of the portal: engines, licence and revocation list.
    Import {
        /// The bundle.
        bundle: PathBuf,
    },
    /// Start an engine.
    Enable {
        /// Engine id.
        id: String,
    },
    /// Stop an engine; its data is kept.
    Disable {
        /// Engine id.
        id: String,
    },
    /// Go back to an installed version.
    Rollback {
        /// Engine id.
        id: String,
        /// Version; the one before when absent.
        version: Option<String>,
    },
    /// Choose where an engine runs.
    Mode {
        /// Engine id.
        id: String,
        /// In the host's process, or in a child of its own.
        mode: Mode,
    },
    /// Set which capabilities an engine has; what is not named is taken away.
    Grant {
        /// Engine id.
        id: String,
        /// Capabilities, e.g. sql machines.
        capabilities: Vec<String>,
    },
    /// Remove an engine. Its data is kept, unless purged after an export.
    Uninstall {
        /// Engine id.
        id: String,
        /// Delete its tables too; needs an export first.
        #[arg(long)]
        purge: bool,
    },
    /// Save an engine's data to a file.
    Export {
        /// Engine id.
        id: String,
        /// File to write.
        file: PathBuf,
    },
    /// Show an engine's last log lines.
    Logs {
        /// Engine id.
        id: String,
    },
}

/// Where an engine runs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Mode {
    /// In the host's process.
    InProcess,
    /// In a child process.
    Isolated,
}

impl EngineCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::List => {
                let engines = client.get("/api/v1/engines").await?;
                session.out.table(&engines, &["id", "version", "state", "mode", "reason"])?;
                let refused = engines["refused"].as_array().is_some_and(|r| !r.is_empty());
                if !session.out.json && refused {
                    session.out.line("\nRefused files:")?;
                    session.out.table(&engines["refused"], &["file", "code", "reason"])?;
                }
                Ok(())
            }
            Self::Show { id } => session.out.thing(&client.get(&path(&id)).await?),
            Self::Search { text } => marketplace::search(session, &client, text.as_deref()).await,
            Self::Install { what } => match Wanted::of(&what) {
                Wanted::File(file) => {
                    let body = Body::File(file);
                    session.out.thing(&client.call(Method::POST, "/api/v1/engines", body).await?)
                }
                Wanted::Engine(id, version) => {
                    marketplace::install(session, &client, &id, version.as_deref()).await
                }
            },
            Self::Update { ids, all: _, check } => marketplace::update(session, &client, &ids, check).await,
            Self::Import { bundle } => marketplace::import(session, &client, &bundle).await,
            Self::Enable { id } => act(session, &client, &id, "enable", json!({})).await,
            Self::Disable { id } => act(session, &client, &id, "disable", json!({})).await,
            Self::Rollback { id, version } => {
                act(session, &client, &id, "rollback", json!({"version": version})).await
            }
            Self::Mode { id, mode } => {
                let mode = match mode {
                    Mode::InProcess => "in-process",
                    Mode::Isolated => "isolated",
                };
                act(session, &client, &id, "mode", json!({"mode": mode})).await
            }
            Self::Grant { id, capabilities } => {
                act(session, &client, &id, "grants", json!({"capabilities": capabilities})).await
            }
            Self::Uninstall { id, purge } => {
                act(session, &client, &id, "uninstall", json!({"purge": purge})).await
            }
            Self::Export { id, file } => {
                let mut target =
                    File::create(&file).with_context(|| format!("cannot write {}", file.display()))?;
                let from = format!("{}/-/export", path(&id));
                client
                    .download(Method::POST, &from, Body::None, |chunk| Ok(target.write_all(chunk)?))
                    .await?;
                target.sync_all()?;
                session.out.done(&json!({"file": file}), &format!("saved to {}", file.display()))
            }
            Self::Logs { id } => {
                let logs = client.get(&format!("{}/-/logs", path(&id))).await?;
                session.out.table(&logs, &["at", "level", "message"])
            }
        }
    }
}

async fn act(session: &Session, client: &Client, id: &str, action: &str, body: Value) -> anyhow::Result<()> {
    let answer = client.post(&format!("{}/-/{action}", path(id)), body).await?;
    let state =
        answer["state"].as_str().map(|s| format!("{id}: {s}")).unwrap_or_else(|| format!("{id}: done"));
    session.out.done(&answer, &state)
}

fn path(id: &str) -> String {
    format!("/api/v1/engines/{}", encoded(id))
}
