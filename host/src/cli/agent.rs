//! `sysmanage agent-release|agent-rollout`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use http::Method;
use serde_json::json;
use uuid::Uuid;

use super::{
    Session,
    client::{Body, encoded},
};

/// Releases of the agent.
#[derive(Debug, Subcommand)]
pub(super) enum ReleaseCommand {
    /// Bring in a signed release.
    Add {
        /// The `.agent` file.
        file: PathBuf,
    },
    /// List releases.
    List,
    /// Remove a release.
    Remove {
        /// Version.
        version: String,
        /// Target triple.
        target: String,
    },
}

impl ReleaseCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::Add { file } => {
                let bytes =
                    std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                let body = Body::Raw(bytes, "application/octet-stream");
                session.out.thing(&client.call(Method::POST, "/api/v1/agent-releases", body).await?)
            }
            Self::List => {
                let releases = client.get("/api/v1/agent-releases").await?;
                session.out.table(&releases, &["version", "target", "size", "publisher", "added_at"])
            }
            Self::Remove { version, target } => {
                let path = format!("/api/v1/agent-releases/{}/{}", encoded(&version), encoded(&target));
                client.delete(&path).await?;
                session.out.done(&json!({"version": version, "target": target}), "removed")
            }
        }
    }
}

/// Rollouts of the agent.
#[derive(Debug, Subcommand)]
pub(super) enum RolloutCommand {
    /// Give a version to machines, batch by batch.
    Begin {
        /// Version; its releases must be here.
        version: String,
        /// Selector of the machines.
        #[arg(long, value_name = "SELECTOR")]
        on: String,
        /// Machines in one batch, in percent of all.
        #[arg(long, default_value_t = 10, value_name = "PERCENT")]
        batch: u8,
        /// Failures to bear before it pauses.
        #[arg(long, default_value_t = 0, value_name = "N")]
        max_failures: u32,
        /// Seconds a new agent has to report before the old one is put back.
        #[arg(long, value_name = "SECONDS")]
        confirm_within: Option<u32>,
    },
    /// List rollouts.
    List,
    /// Show a rollout.
    Show {
        /// Id.
        id: Uuid,
    },
    /// Begin no further batch.
    Pause {
        /// Id.
        id: Uuid,
    },
    /// Go on with a paused rollout.
    Resume {
        /// Id.
        id: Uuid,
    },
    /// Give a rollout up.
    Cancel {
        /// Id.
        id: Uuid,
    },
}

impl RolloutCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        let (id, verb) = match self {
            Self::Begin { version, on, batch, max_failures, confirm_within } => {
                let body = json!({"version": version, "selector": on, "batch_percent": batch,
                    "max_failures": max_failures, "confirm_within_s": confirm_within});
                return session.out.thing(&client.post("/api/v1/agent-rollouts", body).await?);
            }
            Self::List => {
                let rollouts = client.get("/api/v1/agent-rollouts?limit=500").await?;
                let columns = ["id", "version", "selector", "state", "reason", "updated_at"];
                return session.out.table(&rollouts, &columns);
            }
            Self::Show { id } => {
                return session.out.thing(&client.get(&format!("/api/v1/agent-rollouts/{id}")).await?);
            }
            Self::Pause { id } => (id, "pause"),
            Self::Resume { id } => (id, "resume"),
            Self::Cancel { id } => (id, "cancel"),
        };
        let path = format!("/api/v1/agent-rollouts/{id}/{verb}");
        let rollout = client.call(Method::POST, &path, Body::None).await?;
        let state = rollout["state"].as_str().unwrap_or("?");
        session.out.done(&rollout, &format!("{id} is {state}"))
    }
}
