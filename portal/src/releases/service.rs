//! Releases: listed, moved between channels, withdrawn.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use plugin_api::manifest::Sha256Hex;
use semver::Version;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    Channel, ReleaseError,
    blobs::Blobs,
    entity::{file, release},
    store,
};
use crate::{app::Core, audit::Change, ctx::Ctx, licensing::Licensing};

/// An engine that is for sale.
#[derive(Debug, Clone, Serialize)]
pub struct Engine {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Tier it belongs to.
    pub tier: String,
    /// Who publishes it.
    pub publisher: String,
    /// The newest version of each channel.
    pub newest: HashMap<&'static str, Version>,
}

/// A version of an engine.
#[derive(Debug, Clone, Serialize)]
pub struct Release {
    /// Engine.
    pub engine: String,
    /// Version.
    pub version: Version,
    /// Name of the engine.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Who publishes it.
    pub publisher: String,
    /// Tier.
    pub tier: String,
    /// The entitlement that a licence names; absent for an engine that needs none.
    pub entitlement: Option<String>,
    /// Channel.
    pub channel: Channel,
    /// Versions of host, agent and plugin contract that it runs with.
    pub requires: serde_json::Value,
    /// Release notes.
    pub notes: String,
    /// When it was built.
    pub built_at: DateTime<Utc>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Why it was withdrawn.
    pub yanked: Option<String>,
    /// Files by target.
    pub files: Vec<File>,
    /// What it asks of its host; absent where it was published before the portal kept it.
    pub asks: Option<Asks>,
    /// The conformance report it was published with, where there was one.
    pub conformance: Option<serde_json::Value>,
}

/// What an engine asks of its host.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Asks {
    /// Host services.
    pub services: Vec<String>,
    /// Views of the host's data that it reads.
    pub views: Vec<String>,
    /// Events that it receives.
    pub events: Vec<String>,
    /// Addresses that it fetches from.
    pub origins: Vec<String>,
    /// Quota of its private folder, in MiB.
    pub files_mib: Option<u32>,
    /// Permissions that it adds, with what they allow.
    pub permissions: Vec<(String, String)>,
    /// Commands of its half on machines.
    pub commands: Vec<String>,
}

/// A file of a release.
#[derive(Debug, Clone, Serialize)]
pub struct File {
    /// Rust target triple.
    pub target: String,
    /// Digest.
    pub sha256: Sha256Hex,
    /// Size in bytes.
    pub size: u64,
}

/// The service.
pub struct Releases {
    pub(super) core: Arc<Core>,
    pub(super) licensing: Arc<Licensing>,
    pub(super) blobs: Blobs,
    pub(super) images: Blobs,
    /// Downloads of everybody.
    pub(super) slots: Arc<Semaphore>,
    /// Downloads of an organisation. One that downloads nothing has no entry.
    pub(super) running: Arc<Mutex<HashMap<Uuid, usize>>>,
}

impl Releases {
    /// Build over the shared part.
    pub fn new(core: Arc<Core>, licensing: Arc<Licensing>) -> Self {
        Self {
            blobs: Blobs::packages(&core.data_dir),
            images: Blobs::images(&core.data_dir),
            slots: Arc::new(Semaphore::new(core.config.downloads.at_once)),
            running: Arc::default(),
            core,
            licensing,
        }
    }

    /// What is for sale, by name.
    pub async fn engines(&self) -> Result<Vec<Engine>, ReleaseError> {
        let mut engines: Vec<Engine> = Vec::new();
        for release in self.read(None).await?.into_iter().filter(|r| r.yanked.is_none()) {
            let at = engines.iter().position(|e| e.id == release.engine).unwrap_or_else(|| {
                engines.push(Engine {
                    id: release.engine.clone(),
                    name: release.name.clone(),
                    description: release.description.clone(),
                    tier: release.tier.clone(),
                    publisher: release.publisher.clone(),
                    newest: HashMap::new(),
                });
                engines.len() - 1
            });
            let newest = engines[at].newest.entry(release.channel.name()).or_insert(release.version.clone());
            if *newest < release.version {
                *newest = release.version;
            }
        }
        engines.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        Ok(engines)
    }

    /// Versions of an engine, the highest first.
    pub async fn of_engine(&self, engine: &str) -> Result<Vec<Release>, ReleaseError> {
        let mut releases = self.read(Some(engine)).await?;
        releases.sort_by(|a, b| b.version.cmp(&a.version));
        if releases.is_empty() { Err(ReleaseError::NotFound("engine")) } else { Ok(releases) }
    }

    /// Every release, newest first, for the vendor.
    pub async fn list_all(&self, ctx: &Ctx) -> Result<Vec<Release>, ReleaseError> {
        ctx.require_staff()?;
        self.read(None).await
    }

    /// Withdraw a version: nobody downloads it any more. Hosts that run it are told by the revocation list, not by this.
    pub async fn yank(
        &self,
        ctx: &Ctx,
        engine: &str,
        version: &Version,
        reason: &str,
    ) -> Result<(), ReleaseError> {
        ctx.require_staff()?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > 300 {
            return Err(ReleaseError::Invalid("reason", "Say why, in 1 to 300 characters.".into()));
        }
        let change = Change::new("release.yanked", "release", format!("{engine} {version}")).detail(reason);
        let at = Some(self.core.clock.now());
        self.change(ctx, engine, version, change, async |tx, id| {
            store::yank(tx, id, at, Some(reason.to_owned())).await
        })
        .await
    }

    /// Take a withdrawal back.
    pub async fn unyank(&self, ctx: &Ctx, engine: &str, version: &Version) -> Result<(), ReleaseError> {
        ctx.require_staff()?;
        let change = Change::new("release.unyanked", "release", format!("{engine} {version}"));
        self.change(ctx, engine, version, change, async |tx, id| store::yank(tx, id, None, None).await).await
    }

    /// Move a version to another channel.
    pub async fn set_channel(
        &self,
        ctx: &Ctx,
        engine: &str,
        version: &Version,
        channel: Channel,
    ) -> Result<(), ReleaseError> {
        ctx.require_staff()?;
        let row = store::get(self.core.db.read(), engine, &version.to_string()).await?;
        let row = row.ok_or(ReleaseError::NotFound("version"))?;
        let files = store::files(self.core.db.read(), &[row.id]).await?;
        let targets: Vec<String> = files.into_iter().map(|file| file.target).collect();
        self.require_ready_for(channel, &row, &targets)?;
        let change = Change::new("release.moved", "release", format!("{engine} {version}"));
        let change = change.detail(channel.name());
        self.change(ctx, engine, version, change, async |tx, id| store::set_channel(tx, id, channel).await)
            .await
    }

    async fn change(
        &self,
        ctx: &Ctx,
        engine: &str,
        version: &Version,
        change: Change,
        work: impl AsyncFnOnce(&sea_orm::DatabaseTransaction, Uuid) -> Result<(), sea_orm::DbErr>,
    ) -> Result<(), ReleaseError> {
        let tx = self.core.db.begin().await?;
        let row = store::get(&tx, engine, &version.to_string()).await?;
        let row = row.ok_or(ReleaseError::NotFound("version"))?;
        work(&tx, row.id).await?;
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.core.outdated.notify_one();
        Ok(())
    }

    pub(super) async fn read(&self, engine: Option<&str>) -> Result<Vec<Release>, ReleaseError> {
        read(self.core.db.read(), engine).await
    }

    pub(super) async fn find(&self, engine: &str, version: &str) -> Result<Release, ReleaseError> {
        let db = self.core.db.read();
        let row = store::get(db, engine, version).await?.ok_or(ReleaseError::NotFound("version"))?;
        let files = store::files(db, &[row.id]).await?;
        view(row, &files).ok_or(ReleaseError::NotFound("version"))
    }
}

/// Releases of an engine, or of all, newest first.
pub(super) async fn read(
    db: &impl sea_orm::ConnectionTrait,
    engine: Option<&str>,
) -> Result<Vec<Release>, ReleaseError> {
    let rows = store::releases(db, engine).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let files = store::files(db, &ids).await?;
    Ok(rows.into_iter().filter_map(|row| view(row, &files)).collect())
}

/// A row as others see it; rows that do not read are left out.
fn view(row: release::Model, files: &[file::Model]) -> Option<Release> {
    let own = files.iter().filter(|file| file.release_id == row.id);
    let files = own.filter_map(|file| {
        let size = u64::try_from(file.size).ok()?;
        Some(File { target: file.target.clone(), sha256: file.sha256.parse().ok()?, size })
    });
    Some(Release {
        files: files.collect(),
        version: row.version.parse().ok()?,
        channel: Channel::named(&row.channel)?,
        yanked: row.yanked_at.map(|_| row.yank_reason.unwrap_or_default()),
        engine: row.engine,
        name: row.name,
        description: row.description,
        publisher: row.publisher,
        tier: row.tier,
        entitlement: row.entitlement,
        requires: row.requires,
        notes: row.notes,
        built_at: row.built_at,
        published_at: row.published_at,
        asks: row.asks.and_then(|json| serde_json::from_value(json).ok()),
        conformance: row.conformance,
    })
}
