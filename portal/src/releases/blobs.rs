//! Packages and pictures on disk, by digest: `packages/ab/<sha256>`, `images/ab/<sha256>`. Written whole or not at all, and never changed.

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
    pub(super) fn packages(data_dir: &Path) -> Self {
        Self(data_dir.join("packages"))
    }

    pub(super) fn images(data_dir: &Path) -> Self {
        Self(data_dir.join("images"))
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
        sweep(folder)?;
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

/// How old the rest of a publication that was ended half-way must be: nobody writes for so long.
const STALE: std::time::Duration = std::time::Duration::from_secs(3600);

fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let partial = entry.file_name().to_string_lossy().ends_with(".partial");
        let age = entry.metadata().and_then(|m| m.modified()).map(|at| at.elapsed().unwrap_or_default());
        if partial && age.is_ok_and(|age| age > STALE) {
            // Another publication may have done so.
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_in_part_long_ago_goes_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::packages(folder.path());
        let kept = blobs.path(&blobs.keep(b"content").expect("kept"));
        let beside = kept.parent().expect("a folder");
        for (name, age) in [(".old.partial", 7200), (".new.partial", 0), ("old", 7200)] {
            let file = File::create(beside.join(name)).expect("a file");
            let at = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            file.set_modified(at).expect("a time");
        }
        sweep(beside).expect("swept");
        assert!(!beside.join(".old.partial").exists());
        assert!(beside.join(".new.partial").exists() && beside.join("old").exists());
        assert_eq!(fs::read(kept).expect("read"), b"content");
    }
}
