//! `publish FILE`: verified by the code that hosts verify with, kept by digest, then listed.

use std::path::Path;

use plugin_api::Manifest;
use plugin_api::manifest::Sha256Hex;
use plugin_runtime::{ConformanceReport, Limits, Package, Policy, Side};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Asks, Channel, ReleaseError, Releases, checks,
    entity::{file, release},
    store,
};
use crate::{audit::Change, ctx::Ctx};

/// Longest release notes that are kept, in bytes.
const MAX_NOTES: usize = 64 * 1024;

/// What was published.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// Engine.
    pub engine: String,
    /// Version.
    pub version: semver::Version,
    /// Targets that the file holds.
    pub targets: Vec<String>,
    /// Digest of the file.
    pub sha256: Sha256Hex,
    /// Whether anything is new.
    pub new: bool,
}

/// A package that was verified and kept.
struct Kept {
    manifest: Manifest,
    notes: String,
    sha256: Sha256Hex,
    size: u64,
    report: Option<ConformanceReport>,
}

impl Releases {
    /// Verify a package and publish it. Publishing the same bytes again changes nothing, also after this was ended half-way.
    pub async fn publish(
        &self,
        ctx: &Ctx,
        path: &Path,
        channel: Channel,
        report: Option<&Path>,
    ) -> Result<Published, ReleaseError> {
        ctx.require_staff()?;
        let kept = self.keep(path, report).await?;
        let manifest = &kept.manifest;
        self.require_known_targets(&manifest.targets)?;
        let tx = self.core.db.begin().await?;
        let (row, mut new) = self.release(&tx, &kept, channel).await?;
        let id = row.id;
        let known = store::files(&tx, &[id]).await?;
        let all: Vec<String> =
            known.iter().map(|file| file.target.clone()).chain(manifest.targets.iter().cloned()).collect();
        if let Some(channel) = Channel::named(&row.channel) {
            self.require_ready_for(channel, &row, &all)?;
        }
        for target in &manifest.targets {
            match known.iter().find(|file| file.target == *target) {
                Some(file) if file.sha256 == kept.sha256.to_string() => continue,
                Some(_) => {
                    let version = manifest.version.clone();
                    return Err(ReleaseError::PublishedOtherwise(version, target.clone()));
                }
                None => new = true,
            }
            let row = file::Model {
                release_id: id,
                target: target.clone(),
                sha256: kept.sha256.to_string(),
                size: i64::try_from(kept.size).unwrap_or(i64::MAX),
            };
            store::insert_file(&tx, row).await?;
        }
        let published = Published {
            engine: manifest.id.clone(),
            version: manifest.version.clone(),
            targets: manifest.targets.clone(),
            sha256: kept.sha256,
            new,
        };
        if new {
            let name = format!("{} {}", published.engine, published.version);
            let change = Change::new("release.published", "release", name).detail(&published);
            self.core.audit.record_in(ctx, &tx, change).await?;
        }
        tx.commit().await?;
        self.core.outdated.notify_one();
        Ok(published)
    }

    async fn release(
        &self,
        tx: &DatabaseTransaction,
        kept: &Kept,
        channel: Channel,
    ) -> Result<(release::Model, bool), ReleaseError> {
        let manifest = &kept.manifest;
        let version = manifest.version.to_string();
        if let Some(row) = store::get(tx, &manifest.id, &version).await? {
            return self.with_report(tx, row, kept).await;
        }
        let row = release::Model {
            id: Uuid::now_v7(),
            engine: manifest.id.clone(),
            version,
            name: manifest.name.clone(),
            description: manifest.description.clone(),
            publisher: manifest.publisher.clone(),
            tier: manifest.tier.clone(),
            entitlement: manifest.entitlement.clone(),
            channel: channel.name().into(),
            requires: serde_json::json!({"api": manifest.api, "host": manifest.host, "agent": manifest.agent}),
            notes: kept.notes.clone(),
            built_at: manifest.built_at,
            published_at: self.core.clock.now(),
            yanked_at: None,
            yank_reason: None,
            asks: serde_json::to_value(asks(manifest)).ok(),
            conformance: kept.report.as_ref().and_then(|report| serde_json::to_value(report).ok()),
        };
        store::insert(tx, row.clone()).await?;
        Ok((row, true))
    }

    /// A version that is known, with the report that came now where it had none.
    async fn with_report(
        &self,
        tx: &DatabaseTransaction,
        mut row: release::Model,
        kept: &Kept,
    ) -> Result<(release::Model, bool), ReleaseError> {
        let report = kept.report.as_ref().and_then(|report| serde_json::to_value(report).ok());
        let Some(report) = report.filter(|_| row.conformance.is_none()) else { return Ok((row, false)) };
        store::set_conformance(tx, row.id, report.clone()).await?;
        row.conformance = Some(report);
        Ok((row, true))
    }

    /// Verify, then keep exactly the bytes that were verified.
    async fn keep(&self, path: &Path, report: Option<&Path>) -> Result<Kept, ReleaseError> {
        let (path, blobs) = (path.to_owned(), self.blobs.clone());
        let (trust, now) = (self.licensing.keys().trust().clone(), self.core.clock.now());
        let report = report.map(Path::to_owned);
        let work = tokio::task::spawn_blocking(move || {
            let size = std::fs::metadata(&path).map_err(ReleaseError::Storage)?.len();
            if size > Limits::DEFAULT.compressed {
                let why =
                    format!("The package has {size} bytes; at most {} are read.", Limits::DEFAULT.compressed);
                return Err(ReleaseError::Invalid("file", why));
            }
            let bytes = std::fs::read(&path).map_err(ReleaseError::Storage)?;
            let package = Package::verify(bytes.as_slice(), &Policy::new(&trust, now, Side::Tool))?;
            let report = report.map(|file| checks::read_report(&file, &package, &trust, now)).transpose()?;
            let notes = package.file("CHANGELOG.md").unwrap_or_default();
            let mut notes = String::from_utf8_lossy(&notes).into_owned();
            let mut end = notes.len().min(MAX_NOTES);
            while !notes.is_char_boundary(end) {
                end -= 1;
            }
            notes.truncate(end);
            let sha256 = blobs.keep(&bytes).map_err(ReleaseError::Storage)?;
            Ok(Kept { manifest: package.manifest().clone(), notes, sha256, size: bytes.len() as u64, report })
        });
        work.await.map_err(|e| ReleaseError::Storage(std::io::Error::other(e)))?
    }
}

fn asks(manifest: &Manifest) -> Asks {
    let wants = &manifest.capabilities;
    let permission = |p: &plugin_api::manifest::Permission| (p.name.clone(), p.description.clone());
    Asks {
        services: wants.uses.iter().map(|of| of.name().to_owned()).collect(),
        views: wants.views.clone(),
        events: wants.subscribes.clone(),
        origins: wants.origins.clone(),
        files_mib: wants.files_mib,
        permissions: manifest.permissions.iter().map(permission).collect(),
        commands: manifest.commands.iter().map(|command| command.name.clone()).collect(),
    }
}
