//! The folder of trusted metadata: what this host has believed last. Every file is written whole or not at all.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use crate::DistributionError;

/// The folder. Its files are the names of metadata without their versions: `root.json`, `timestamp.json`.
#[derive(Debug, Clone)]
pub(crate) struct Datastore(PathBuf);

/// While it lives, no other refresh uses the folder.
pub(crate) struct Lock(#[expect(dead_code, reason = "held, never read")] File);

impl Datastore {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Make the folder where it is missing, and keep other refreshes out.
    pub(crate) async fn lock(&self) -> Result<Lock, DistributionError> {
        let folder = self.0.clone();
        let work = move || {
            fs::create_dir_all(&folder)?;
            let file = File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
            match file.try_lock() {
                Ok(()) => Ok(Some(Lock(file))),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            }
        };
        self.run(work).await?.ok_or(DistributionError::Busy)
    }

    /// What is known under this name. A file that is longer than `limit` was not written by us.
    pub(crate) async fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, DistributionError> {
        let path = self.0.join(name);
        let work = move || {
            let file = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file?,
            };
            let mut bytes = Vec::new();
            file.take(limit + 1).read_to_end(&mut bytes)?;
            Ok((bytes.len() as u64 <= limit).then_some(bytes))
        };
        self.run(work).await
    }

    /// Know this from now on; it is on disk when this returns.
    pub(crate) async fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DistributionError> {
        let (folder, path) = (self.0.clone(), self.0.join(name));
        let partial = self.0.join(format!(".{name}.partial"));
        let bytes = bytes.to_owned();
        let work = move || {
            let mut file = File::create(&partial)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            File::open(folder)?.sync_all()
        };
        self.run(work).await
    }

    /// Forget what was known under this name.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), DistributionError> {
        let (folder, path) = (self.0.clone(), self.0.join(name));
        let work = move || match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => File::open(folder)?.sync_all(),
        };
        self.run(work).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, DistributionError> {
        let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
        done.and_then(|done| done)
            .map_err(|source| DistributionError::Datastore { path: self.0.clone(), source })
    }
}
