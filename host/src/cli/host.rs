//! `sysmanage serve|setup|config|backup|restore`.

use std::{io::IsTerminal, path::PathBuf, sync::Arc};

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use super::{Session, client::Body};
use crate::{
    backup,
    clock::SystemClock,
    config::{Config, LogConfig, LogFormat},
    serve,
};

/// Flags of `serve`, over the configuration.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Port of the API, over http.port.
    #[arg(long)]
    http_port: Option<u16>,
    /// Port for agents, over agents.port.
    #[arg(long)]
    agents_port: Option<u16>,
}

impl Serve {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let mut config = session.config()?;
        config.http.port = self.http_port.unwrap_or(config.http.port);
        config.agents.port = self.agents_port.unwrap_or(config.agents.port);
        config.check()?;
        log(&config.log);
        serve::run(config, Arc::new(SystemClock), |host| {
            // A reader that is gone must not stop the host.
            let _ = session.out.line(&format!("SysManage serves {}", host.app.link("/")));
            if let Some(link) = &host.setup_link {
                let _ = session.out.line(&format!("Set it up within the hour: {link}"));
            }
        })
        .await
    }
}

fn log(config: &LogConfig) {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.filter).unwrap_or_default();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.try_init(),
    };
    if let Err(error) = started {
        tracing::warn!(%error, "a log was there already");
    }
}

/// Print a new set-up link.
pub(super) async fn setup(session: &Session) -> anyhow::Result<()> {
    let link = session.client().await?.call(Method::POST, "/api/v1/setup/link", Body::None).await?;
    session.out.done(&link, link["url"].as_str().unwrap_or_default())
}

/// Configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration without starting anything.
    Check,
    /// Print every key with its default.
    Defaults,
}

impl ConfigCommand {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Check => {
                session.config()?.check()?;
                let file = session.config_file().map_or("the defaults".into(), |f| f.display().to_string());
                session.out.done(&json!({"ok": true, "file": file}), &format!("{file}: good"))
            }
            Self::Defaults => session.out.line(&toml::to_string(&Config::default())?),
        }
    }
}

/// Save everything.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// File to write, e.g. sysmanage.tar.zst. It holds the host's keys: keep it as safe as the host.
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let manifest = backup::save(&session.config()?, session.config_file().as_deref(), &self.file).await?;
        let told = format!("saved {} files to {}", manifest.files.len(), self.file.display());
        session.out.done(&serde_json::to_value(&manifest)?, &told)
    }
}

/// Bring back a backup.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// File that `backup` wrote.
    file: PathBuf,
    /// Replace what is in the data directory (or the PostgreSQL database).
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let config = session.config()?;
        let manifest = backup::restore(&config, &self.file, self.force).await?;
        let told = format!("restored {} files to {}", manifest.files.len(), config.data_dir.display());
        session.out.done(&serde_json::to_value(&manifest)?, &told)
    }
}
