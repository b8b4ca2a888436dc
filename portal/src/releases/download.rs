//! Downloads: whole or in part, so many at once, resumed by range and entity tag.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use plugin_api::manifest::Sha256Hex;
use tokio::{
    io::{AsyncSeekExt, SeekFrom},
    sync::OwnedSemaphorePermit,
};
use uuid::Uuid;

use super::{ReleaseError, Releases};
use crate::{audit::Change, ctx::Ctx};

/// What is to be downloaded.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Engine.
    pub engine: String,
    /// Version.
    pub version: String,
    /// Rust target triple.
    pub target: String,
    /// Id of the licence to use; any of the organisation's when absent.
    pub license: Option<String>,
}

/// A file that may be sent, with the slot that it takes until it is dropped.
pub(super) struct Download {
    pub(super) name: String,
    pub(super) sha256: Sha256Hex,
    pub(super) size: u64,
    path: std::path::PathBuf,
    slot: Slot,
}

/// Bytes of a file, from a place on.
pub(super) struct Opened {
    pub(super) file: tokio::fs::File,
    pub(super) slot: Slot,
}

/// One running download.
pub(super) struct Slot {
    organisation: Uuid,
    running: Arc<Mutex<HashMap<Uuid, usize>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(count) = running.get_mut(&self.organisation) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.remove(&self.organisation);
            }
        }
    }
}

impl Releases {
    /// Authorise a download, and take a slot for it.
    pub(super) async fn download(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        wanted: &Wanted,
    ) -> Result<Download, ReleaseError> {
        ctx.require(organisation, crate::ctx::Permission::Download)?;
        let release = self.find(&wanted.engine, &wanted.version).await?;
        self.require_license(ctx, organisation, &release, wanted.license.as_deref()).await?;
        if let Some(reason) = release.yanked {
            return Err(ReleaseError::Yanked(reason));
        }
        let file = release.files.into_iter().find(|file| file.target == wanted.target);
        let file = file.ok_or(ReleaseError::NotFound("target of this version"))?;
        Ok(Download {
            name: format!("{}-{}-{}.engine", release.engine, release.version, file.target),
            path: self.blobs.path(&file.sha256),
            sha256: file.sha256,
            size: file.size,
            slot: self.slot(organisation)?,
        })
    }

    /// Record that a download began: once for a file, not for each of its parts.
    pub(super) async fn record(&self, ctx: &Ctx, organisation: Uuid, name: &str) -> Result<(), ReleaseError> {
        let change = Change::new("engine.downloaded", "release", name).of(organisation);
        Ok(self.core.audit.record(ctx, change).await?)
    }

    fn slot(&self, organisation: Uuid) -> Result<Slot, ReleaseError> {
        let config = &self.core.config.downloads;
        let permit = self.slots.clone().try_acquire_owned();
        let permit = permit.map_err(|_| ReleaseError::TooManyDownloads(config.at_once))?;
        let mut running = self.running.lock().unwrap_or_else(|e| e.into_inner());
        let count = running.entry(organisation).or_default();
        if *count >= config.at_once_per_organisation {
            return Err(ReleaseError::TooManyDownloads(*count));
        }
        *count += 1;
        drop(running);
        Ok(Slot { organisation, running: self.running.clone(), _permit: permit })
    }
}

impl Download {
    /// Open the file at `from`.
    pub(super) async fn open(self, from: u64) -> Result<Opened, ReleaseError> {
        let mut file = tokio::fs::File::open(&self.path).await.map_err(ReleaseError::Storage)?;
        file.seek(SeekFrom::Start(from)).await.map_err(ReleaseError::Storage)?;
        Ok(Opened { file, slot: self.slot })
    }
}
