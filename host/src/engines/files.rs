//! Packages on disk: the drop-in folder, and the store by engine and version below it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// Folders of the engines.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// Watched for packages.
    pub drop_in: PathBuf,
    store: PathBuf,
    incoming: PathBuf,
    /// Packages that come from the portal, piece by piece; kept over a restart.
    pub downloads: PathBuf,
    /// Private folders of engines.
    pub data: PathBuf,
}

impl Files {
    /// Make the folders. What an interrupted upload left is removed.
    pub fn open(drop_in: PathBuf, data: PathBuf) -> io::Result<Self> {
        let files = Self {
            store: drop_in.join("store"),
            incoming: drop_in.join("store/.incoming"),
            downloads: drop_in.join("store/.downloads"),
            drop_in,
            data,
        };
        let _ = fs::remove_dir_all(&files.incoming);
        for folder in [&files.drop_in, &files.store, &files.incoming, &files.downloads, &files.data] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        Ok(files)
    }

    /// Where a version is kept.
    pub fn package(&self, engine: &str, version: &str) -> PathBuf {
        self.store.join(engine).join(format!("{version}.engine"))
    }

    /// A new private file for a package that arrives.
    pub fn incoming(&self) -> io::Result<(PathBuf, fs::File)> {
        let path = self.incoming.join(Uuid::now_v7().to_string());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((path, file))
    }

    /// Copy a drop-in to a private file, at most `limit` bytes: what is verified is what is stored.
    pub fn take_in(&self, from: &Path, limit: u64) -> io::Result<Option<PathBuf>> {
        let (path, mut to) = self.incoming()?;
        let copied = io::copy(&mut fs::File::open(from)?.take(limit + 1), &mut to)?;
        to.flush()?;
        to.sync_all()?;
        if copied > limit {
            fs::remove_file(&path)?;
            return Ok(None);
        }
        Ok(Some(path))
    }

    /// Move a verified file to its place.
    pub fn keep(&self, from: &Path, engine: &str, version: &str) -> io::Result<u64> {
        let to = self.package(engine, version);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        let size = fs::metadata(from)?.len();
        fs::rename(from, &to)?;
        Ok(size)
    }

    /// Remove every stored version of an engine.
    pub fn remove_engine(&self, engine: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.store.join(engine)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}
