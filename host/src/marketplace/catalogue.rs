//! The portal's signed catalogue: verified by the `distribution` crate, whatever the way it came.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use distribution::{Client, DistributionError, Listed, Repository, Transport, TransportError};
use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::Mutex;

use super::{
    Advisory, Asking, Broken, Catalogue, Channel, Progress, Release, Requires, Source, SourceError,
    portal::{Portal, Reader},
};

/// The catalogue at the portal.
pub(super) struct Signed {
    portal: Arc<Portal>,
    /// The first root.
    root: Vec<u8>,
    /// Folder of the metadata that are trusted already.
    datastore: PathBuf,
    /// As it was seen last.
    seen: Mutex<Option<Arc<Repository>>>,
}

impl Signed {
    pub fn new(portal: Arc<Portal>, root: Vec<u8>, datastore: PathBuf) -> Self {
        Self { portal, root, datastore, seen: Mutex::default() }
    }

    async fn look(&self, now: DateTime<Utc>) -> Result<Catalogue, SourceError> {
        let reader = Reader::new(&self.portal, None);
        let client = Client::new(self.root.clone(), self.datastore.clone(), now);
        let repository = client.refresh(&reader).await.map_err(|e| told(e, &reader))?;
        let catalogue = catalogue(&repository, &reader).await.map_err(|e| told(e, &reader))?;
        *self.seen.lock().await = Some(Arc::new(repository));
        Ok(catalogue)
    }

    /// The repository as it was seen last, by this process or the one before, if it is still believed.
    async fn repository(&self, now: DateTime<Utc>) -> Result<Arc<Repository>, SourceError> {
        let mut seen = self.seen.lock().await;
        if let Some(repository) = seen.as_ref().filter(|r| now < r.expires_at()) {
            return Ok(repository.clone());
        }
        let reader = Reader::new(&self.portal, None);
        let client = Client::new(self.root.clone(), self.datastore.clone(), now);
        let repository = Arc::new(client.refresh(&reader).await.map_err(|e| told(e, &reader))?);
        *seen = Some(repository.clone());
        Ok(repository)
    }

    async fn fetch(
        &self,
        release: &Release,
        asking: Asking<'_>,
        file: &Path,
        progress: &Progress<'_>,
    ) -> Result<(), SourceError> {
        let repository = self.repository(asking.now).await?;
        let reader = Reader::new(&self.portal, asking.license);
        save(&repository, &reader, release, file, progress).await.map_err(|e| match e {
            SaveError::Other => SourceError::new(
                "no_longer_listed",
                "The portal lists another package under this name now. Look again and start anew.",
            ),
            SaveError::Disk(e) => SourceError::disk(&e),
            SaveError::Refused(e) => told(e, &reader),
        })
    }
}

impl Source for Signed {
    fn refresh(&self, now: DateTime<Utc>) -> BoxFuture<'_, Result<Catalogue, SourceError>> {
        self.look(now).boxed()
    }

    fn save<'a>(
        &'a self,
        release: &'a Release,
        asking: Asking<'a>,
        file: &'a Path,
        progress: &'a Progress<'a>,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        async move { self.fetch(release, asking, file, progress).await }.boxed()
    }
}

/// Why a package was not saved.
pub(super) enum SaveError {
    /// The repository lists another one under this name.
    Other,
    /// The file system.
    Disk(std::io::Error),
    /// The repository's client.
    Refused(DistributionError),
}

/// Save a package, after the bytes that are there.
pub(super) async fn save(
    repository: &Repository,
    transport: &dyn Transport,
    release: &Release,
    file: &Path,
    progress: &Progress<'_>,
) -> Result<(), SaveError> {
    let (_, sha256) = repository.signed(&release.path).map_err(SaveError::Refused)?;
    if sha256 != release.sha256 {
        return Err(SaveError::Other);
    }
    let mut options = tokio::fs::OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(file).await.map_err(SaveError::Disk)?;
    let there = file.metadata().await.map_err(SaveError::Disk)?.len();
    let saved = repository.save(transport, &release.path, &mut file, there, progress).await;
    if saved.is_err() {
        // What came is gone on from: it must lie in the file before the next try looks.
        let _ = tokio::io::AsyncWriteExt::flush(&mut file).await;
    }
    saved.map_err(SaveError::Refused)
}

/// What a repository lists, as the host takes it.
pub(super) async fn catalogue(
    repository: &Repository,
    transport: &dyn Transport,
) -> Result<Catalogue, DistributionError> {
    let broken =
        repository.broken().iter().map(|b| Broken { role: b.role.clone(), reason: b.reason.to_string() });
    let mut catalogue = Catalogue {
        broken: broken.collect(),
        expires_at: Some(repository.expires_at()),
        floors: repository.floors(transport).await?,
        revocations: repository.revocations(transport).await?,
        ..Catalogue::default()
    };
    for listed in repository.releases() {
        match release(listed) {
            Ok(release) => catalogue.releases.push(release),
            Err(reason) => catalogue.broken.push(Broken { role: listed.role.clone(), reason }),
        }
    }
    catalogue.advisories = repository.advisories(transport).await?.into_iter().map(advisory).collect();
    Ok(catalogue)
}

fn release(listed: &Listed) -> Result<Release, String> {
    let release = &listed.release;
    let unknown = |what: &str, why: String| format!("{}: {what} is not understood: {why}.", listed.path);
    let channel: Channel = serde_json::from_value(release.channel.as_str().into())
        .map_err(|e| unknown("its channel", e.to_string()))?;
    let requires: Requires = serde_json::from_value(release.requires.clone())
        .map_err(|e| unknown("what it requires", e.to_string()))?;
    Ok(Release {
        path: listed.path.clone(),
        engine: release.engine.clone(),
        version: release.version.clone(),
        channel,
        target: release.target.clone(),
        name: release.name.clone(),
        description: release.description.clone(),
        publisher: release.publisher.clone(),
        tier: release.tier.clone(),
        entitlement: release.entitlement.clone(),
        requires,
        notes: release.notes.clone(),
        built_at: release.built_at,
        published_at: release.published_at,
        size: listed.length,
        sha256: listed.sha256.clone(),
    })
}

fn advisory(a: distribution::Advisory) -> Advisory {
    Advisory {
        id: a.id,
        engine: a.engine,
        versions: a.versions,
        severity: a.severity,
        title: a.title,
        detail: a.detail,
        fixed_in: a.fixed_in,
        published_at: a.published_at,
    }
}

/// What the repository's client found, with what the portal said where it refused.
fn told(error: DistributionError, reader: &Reader<'_>) -> SourceError {
    let refused = reader.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    match (&error, refused) {
        (DistributionError::Unreachable { .. }, Some(refused)) => refused,
        _ => plain(&error),
    }
}

/// What the repository's client found.
pub(super) fn plain(error: &DistributionError) -> SourceError {
    match error {
        DistributionError::Write { source, .. } | DistributionError::Datastore { source, .. } => {
            SourceError::disk(source)
        }
        DistributionError::Unreachable { source: TransportError::Failed(_), .. }
        | DistributionError::Stalled { .. }
        | DistributionError::TargetCut { .. }
        | DistributionError::Busy => SourceError::passing(error.code(), error.to_string()),
        _ => SourceError::new(error.code(), error.to_string()),
    }
}
