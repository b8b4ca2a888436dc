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
pub(crate) struct Download {
    pub(super) name: String,
    pub(super) wanted: Wanted,
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
pub(crate) struct Slot {
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
        ctx.require_download(organisation)?;
        let release = self.find(&wanted.engine, &wanted.version).await?;
        self.require_license(ctx, organisation, &release, wanted.license.as_deref()).await?;
        if let Some(reason) = release.yanked {
            return Err(ReleaseError::Yanked(reason));
        }
        let file = release.files.into_iter().find(|file| file.target == wanted.target);
        let file = file.ok_or(ReleaseError::NotFound("target of this version"))?;
        Ok(Download {
            name: format!("{}-{}-{}.engine", release.engine, release.version, file.target),
            wanted: wanted.clone(),
            path: self.blobs.path(&file.sha256),
            sha256: file.sha256,
            size: file.size,
            slot: self.slot(organisation)?,
        })
    }

    /// Authorise the download of a target of TUF: for a host by its licence, for a person or a program by those of any of
    /// its organisations. Answers for which one.
    pub(crate) async fn download_target(
        &self,
        ctx: &Ctx,
        (engine, version, target): (&str, &str, &str),
        sha256: &str,
    ) -> Result<(Uuid, Download), ReleaseError> {
        let license = ctx.host.as_ref().map(|host| host.license.clone());
        let organisations: Vec<Uuid> = match &ctx.host {
            Some(host) => vec![host.organisation],
            None => ctx.memberships.iter().map(|membership| membership.organisation).collect(),
        };
        let wanted =
            Wanted { engine: engine.into(), version: version.into(), target: target.into(), license };
        let mut refusal = ReleaseError::Forbidden(crate::ctx::Forbidden::NoMember);
        for organisation in organisations {
            match self.download(ctx, organisation, &wanted).await {
                Ok(download) if download.sha256.to_string() == sha256 => return Ok((organisation, download)),
                Ok(_) => return Err(ReleaseError::NotFound("target")),
                Err(error @ (ReleaseError::Database(_) | ReleaseError::Storage(_))) => return Err(error),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// Where the bytes of a package are. The caller has authorised.
    pub(crate) fn package(&self, sha256: &Sha256Hex) -> std::path::PathBuf {
        self.blobs.path(sha256)
    }

    /// Record that a download began: once for a file, not for each of its parts.
    pub(super) async fn record(&self, ctx: &Ctx, organisation: Uuid, name: &str) -> Result<(), ReleaseError> {
        let change = Change::new("engine.downloaded", "release", name).of(organisation);
        Ok(self.core.audit.record(ctx, change).await?)
    }

    /// A slot for what is sent to an organisation.
    pub(crate) fn slot(&self, organisation: Uuid) -> Result<Slot, ReleaseError> {
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
