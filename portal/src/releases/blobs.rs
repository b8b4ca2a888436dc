//! Packages on disk, by digest: `packages/ab/<sha256>`. Written whole or not at all, and never changed.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use plugin_api::manifest::Sha256Hex;
use ring::digest::{SHA256, digest};

/// The store.
#[derive(Debug, Clone)]
pub(super) struct Blobs(PathBuf);

impl Blobs {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("packages"))
    }

    /// Where the bytes of a digest are.
    pub(super) fn path(&self, digest: &Sha256Hex) -> PathBuf {
        let name = digest.to_string();
        self.0.join(&name[..2]).join(name)
    }

    /// Keep bytes; they are on disk when this returns. Blocks.
    pub(super) fn keep(&self, bytes: &[u8]) -> io::Result<Sha256Hex> {
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
        let sum = Sha256Hex(sum);
        let target = self.path(&sum);
        if target.metadata().is_ok_and(|known| known.len() == bytes.len() as u64) {
            return Ok(sum);
        }
        let folder = target.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder)?;
        let partial = folder.join(format!(".{sum}.{}.partial", uuid::Uuid::now_v7().simple()));
        let written = File::create(&partial).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&partial, &target)) {
            // What was written in part is of no use; the error that stopped it is the one to tell.
            let _ = fs::remove_file(&partial);
            return Err(error);
        }
        File::open(folder)?.sync_all()?;
        Ok(sum)
    }
}
