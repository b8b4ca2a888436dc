//! `sysmanage backup` and `restore`: database, keys, engines and configuration in one tar.zst with a manifest.

mod postgres;
mod restore;
mod save;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

pub use restore::restore;
pub use save::save;

/// Name of the manifest in the archive; its last entry.
const MANIFEST: &str = "manifest.json";
/// SQLite's copy in the archive.
const SQLITE_COPY: &str = "database/sysmanage.db";
/// PostgreSQL's dump in the archive.
const POSTGRES_DUMP: &str = "database/postgres.dump";
/// Folder of the data directory's files in the archive.
const DATA: &str = "data";
/// The configuration file in the archive.
const CONFIG: &str = "config/sysmanage.toml";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Form of the archive, 1.
    pub format: u32,
    /// Version of the host that wrote it.
    pub version: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// Every other file, by its path in the archive.
    pub files: BTreeMap<String, FileEntry>,
}

/// A file in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// Hashes and counts what passes through.
struct Hashing<T> {
    inner: T,
    context: ring::digest::Context,
    size: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, context: ring::digest::Context::new(&ring::digest::SHA256), size: 0 }
    }

    fn entry(self) -> FileEntry {
        FileEntry { size: self.size, sha256: HEXLOWER.encode(self.context.finish().as_ref()) }
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.size += bytes.len() as u64;
    }
}

impl<T: std::io::Read> std::io::Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.passed(&buffer[..read]);
        Ok(read)
    }
}

impl<T: std::io::Write> std::io::Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.passed(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
