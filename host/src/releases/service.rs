//! The releases service: bring releases in, list and remove them, steer rollouts.

use std::{path::PathBuf, sync::Arc};

use agent_protocol::core_command::ReleaseFile;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use semver::Version;
use serde_json::json;
use tokio::{io::AsyncWriteExt, sync::Notify};
use trust::TrustStore;
use uuid::Uuid;

use super::{
    NewRollout, Release, ReleaseFault, Rollout, RolloutState,
    entity::{release, rollout},
    files::{self, Files, MAX_FILE, Verified},
    store,
};
use crate::{
    app::Core,
    audit::Change,
    ctx::{Ctx, Scope},
    events::NewEvent,
    gateway::PackageFile,
    http::Page,
};

/// Most unfinished rollouts.
const MAX_ROLLOUTS: usize = 50;

/// The releases service. Cheap to clone.
#[derive(Clone)]
pub struct Releases {
    pub(super) core: Arc<Core>,
    files: Files,
    /// Rollouts changed.
    pub(super) wake: Arc<Notify>,
}

impl Releases {
    pub(super) fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let files = Files::open(&core.data_dir)?;
        Ok(Self { core, files, wake: Arc::default() })
    }

    /// Take in a release file.
    pub async fn add(
        &self,
        ctx: &Ctx,
        trust: &TrustStore,
        body: impl Upload,
    ) -> Result<Release, ReleaseFault> {
        ctx.require("agents:manage")?;
        let (path, file) = self.files.incoming()?;
        let taken = match receive(file, body).await {
            Ok(()) => self.take(ctx, trust, path.clone()).await,
            Err(fault) => Err(fault),
        };
        let _ = tokio::fs::remove_file(&path).await;
        taken
    }

    async fn take(&self, ctx: &Ctx, trust: &TrustStore, path: PathBuf) -> Result<Release, ReleaseFault> {
        let (from, trust, at) = (path.clone(), trust.clone(), self.core.clock.now());
        let verified = tokio::task::spawn_blocking(move || files::verify(&from, &trust, at)).await;
        let verified = verified.map_err(|e| std::io::Error::other(e.to_string()))??;
        let manifest = &verified.head.manifest;
        if manifest.version.parse::<Version>().is_err() {
            let detail = format!("`{}` is not a semantic version.", manifest.version);
            return Err(ReleaseFault::Invalid { field: "version", detail });
        }
        if let Some(known) = store::release(self.core.db.write(), &manifest.version, &manifest.target).await?
        {
            return match known.program_sha256 == manifest.sha256 {
                true => Ok(known.into()),
                false => Err(ReleaseFault::Exists(manifest.version.clone())),
            };
        }
        let row = self.row(ctx, &verified);
        self.files.keep(&path, &row.version, &row.target)?;
        let told = json!({"version": row.version, "target": row.target, "publisher": row.publisher});
        let tx = self.core.db.begin().await?;
        store::insert(&tx, row.clone()).await?;
        let id = format!("{}/{}", row.version, row.target);
        let change = Change::new("agent_release.added", "agent_release", id).after(&told);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.core.events.publish(NewEvent::new("agent_release.added", "agents:read", told));
        Ok(row.into())
    }

    fn row(&self, ctx: &Ctx, verified: &Verified) -> release::Model {
        let manifest = &verified.head.manifest;
        let built_at = chrono::DateTime::from_timestamp_millis(manifest.built_at);
        release::Model {
            version: manifest.version.clone(),
            target: manifest.target.clone(),
            size: verified.size.try_into().unwrap_or(i64::MAX),
            sha256: verified.sha256.clone(),
            program_sha256: manifest.sha256.clone(),
            program_size: manifest.size.try_into().unwrap_or(i64::MAX),
            publisher: verified.publisher.clone(),
            built_at: built_at.unwrap_or_default(),
            added_at: self.core.clock.now(),
            added_by: ctx.actor_name.clone(),
        }
    }

    /// Every release, the last that came first.
    pub async fn list(&self, ctx: &Ctx) -> Result<Vec<Release>, ReleaseFault> {
        ctx.require("agents:read")?;
        Ok(store::releases(self.core.db.read()).await?.into_iter().map(Into::into).collect())
    }

    /// Remove a release.
    pub async fn remove(&self, ctx: &Ctx, version: &str, target: &str) -> Result<(), ReleaseFault> {
        ctx.require("agents:manage")?;
        let row = store::release(self.core.db.read(), version, target).await?;
        let row = row.ok_or(ReleaseFault::NotFound("agent release"))?;
        for state in [RolloutState::Running, RolloutState::Paused] {
            let open = store::in_state(self.core.db.read(), state.name()).await?;
            if open.iter().any(|rollout| rollout.version == row.version) {
                return Err(ReleaseFault::InUse);
            }
        }
        let tx = self.core.db.begin().await?;
        store::delete(&tx, version, target).await?;
        let change = Change::new("agent_release.removed", "agent_release", format!("{version}/{target}"))
            .before(Release::from(row));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(self.files.remove(version, target)?)
    }

    /// The file for a machine; every approved machine may have it.
    pub(crate) async fn file(&self, version: &str, target: &str) -> Result<PackageFile, ReleaseFault> {
        let row = store::release(self.core.db.read(), version, target).await?;
        let row = row.ok_or(ReleaseFault::NotFound("agent release"))?;
        let size = row.size.try_into().unwrap_or(0);
        Ok(PackageFile { path: self.files.path(version, target), size, digest: row.sha256 })
    }

    /// The newest release per target, without pre-releases: what the install script gives out.
    pub(super) async fn newest(&self) -> Result<Vec<release::Model>, ReleaseFault> {
        let mut newest: std::collections::BTreeMap<String, (Version, release::Model)> = Default::default();
        for row in store::releases(self.core.db.read()).await? {
            let Ok(version) = row.version.parse::<Version>() else { continue };
            let better = newest.get(&row.target).is_none_or(|(known, _)| *known < version);
            if better && version.pre.is_empty() {
                newest.insert(row.target.clone(), (version, row));
            }
        }
        Ok(newest.into_values().map(|(_, row)| row).collect())
    }

    pub(super) async fn targets(&self, version: &str) -> Result<Vec<ReleaseFile>, ReleaseFault> {
        let rows = store::of_version(self.core.db.read(), version).await?;
        let file = |row: release::Model| ReleaseFile {
            target: row.target,
            size: row.size.try_into().unwrap_or(0),
            sha256: row.sha256,
        };
        Ok(rows.into_iter().map(file).collect())
    }

    /// Begin a rollout.
    pub async fn begin(&self, ctx: &Ctx, new: NewRollout) -> Result<Rollout, ReleaseFault> {
        let scope = match ctx.require_scope("agents:manage")? {
            Scope::All => String::new(),
            Scope::Selector(selector) => selector,
        };
        let invalid = |field, detail: String| Err(ReleaseFault::Invalid { field, detail });
        if !(1..=100).contains(&new.batch_percent) {
            return invalid("batch_percent", "A batch is 1 to 100 percent.".into());
        }
        let within = new.confirm_within_s.unwrap_or(agent_protocol::core_command::CONFIRM_WITHIN_S);
        if !(5..=3600).contains(&within) {
            return invalid("confirm_within_s", "A new agent has 5 to 3600 seconds to report.".into());
        }
        if let Err(error) = self.core.selectors.parse(ctx, &new.selector) {
            return invalid("selector", error.to_string());
        }
        if self.targets(&new.version).await?.is_empty() {
            return invalid("version", format!("There is no release {}; add it first.", new.version));
        }
        if store::in_state(self.core.db.read(), "running").await?.len() >= MAX_ROLLOUTS {
            return invalid("version", format!("At most {MAX_ROLLOUTS} rollouts run at once."));
        }
        let now = self.core.clock.now();
        let row = rollout::Model {
            id: Uuid::now_v7(),
            version: new.version,
            selector: new.selector,
            scope,
            batch_percent: new.batch_percent.into(),
            max_failures: new.max_failures.try_into().unwrap_or(i32::MAX),
            confirm_within_s: within.try_into().unwrap_or(i32::MAX),
            state: RolloutState::Running.name().into(),
            reason: String::new(),
            operations: json!([]),
            actor: ctx.actor.to_string(),
            actor_name: ctx.actor_name.clone(),
            created_at: now,
            updated_at: now,
        };
        let tx = self.core.db.begin().await?;
        store::insert_rollout(&tx, row.clone()).await?;
        let change = Change::new("agent_rollout.begun", "agent_rollout", row.id)
            .after(json!({"version": row.version, "selector": row.selector}));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.tell(&row);
        Ok(row.into())
    }

    /// Rollouts, newest first.
    pub async fn rollouts(
        &self,
        ctx: &Ctx,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<Rollout>, ReleaseFault> {
        ctx.require("agents:read")?;
        Ok(store::rollouts(self.core.db.read(), after, limit).await?.map(Into::into))
    }

    /// One rollout.
    pub async fn rollout(&self, ctx: &Ctx, id: Uuid) -> Result<Rollout, ReleaseFault> {
        ctx.require("agents:read")?;
        let row = store::rollout(self.core.db.read(), id).await?;
        row.map(Into::into).ok_or(ReleaseFault::NotFound("agent rollout"))
    }

    /// Pause, resume or cancel. Machines that are being updated finish.
    pub async fn steer(&self, ctx: &Ctx, id: Uuid, to: RolloutState) -> Result<Rollout, ReleaseFault> {
        ctx.require("agents:manage")?;
        let row = store::rollout(self.core.db.write(), id).await?;
        let row = row.ok_or(ReleaseFault::NotFound("agent rollout"))?;
        use RolloutState as S;
        match (S::named(&row.state), to) {
            (S::Running, S::Paused | S::Cancelled) | (S::Paused, S::Running | S::Cancelled) => {}
            _ => return Err(ReleaseFault::WrongState(row.state)),
        }
        let reason = if to == S::Paused { format!("paused by {}", ctx.actor_name) } else { String::new() };
        let before = row.state.clone();
        let row = self.change(row, to, reason).await?;
        let change = Change::new("agent_rollout.changed", "agent_rollout", id)
            .before(json!({"state": before}))
            .after(json!({"state": row.state}));
        self.core.audit.record(ctx, change).await?;
        Ok(row.into())
    }

    pub(super) async fn change(
        &self,
        row: rollout::Model,
        to: RolloutState,
        reason: String,
    ) -> Result<rollout::Model, ReleaseFault> {
        let updated_at = self.core.clock.now();
        let row = rollout::Model { state: to.name().into(), reason, updated_at, ..row };
        store::update_rollout(self.core.db.write(), row.clone()).await?;
        self.tell(&row);
        Ok(row)
    }

    fn tell(&self, row: &rollout::Model) {
        let data = json!({"rollout_id": row.id, "version": row.version, "state": row.state,
            "reason": row.reason});
        self.core.events.publish(NewEvent::new("agent_rollout.changed", "agents:read", data));
        self.wake.notify_one();
    }
}

/// A release as it arrives, piece by piece.
pub trait Upload: Stream<Item = Result<Bytes, Self::Broken>> + Send + Unpin {
    /// Why it broke off.
    type Broken: std::fmt::Display;
}

impl<S: Stream<Item = Result<Bytes, E>> + Send + Unpin, E: std::fmt::Display> Upload for S {
    type Broken = E;
}

async fn receive(file: std::fs::File, mut pieces: impl Upload) -> Result<(), ReleaseFault> {
    let mut file = tokio::fs::File::from_std(file);
    let mut left = MAX_FILE;
    let invalid = |detail: String| ReleaseFault::Invalid { field: "body", detail };
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| invalid(format!("The upload broke off: {e}.")))?;
        let size = piece.len() as u64;
        left = left.checked_sub(size).ok_or_else(|| invalid("No release is this large.".into()))?;
        file.write_all(&piece).await?;
    }
    file.sync_all().await?;
    Ok(())
}
