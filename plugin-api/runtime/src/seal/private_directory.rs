//! Other systems: a file in a directory that only this user may enter.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

use super::failed;
use crate::Refusal;

/// A file of its own in this process's private directory.
pub(crate) struct Sealed(PathBuf);

impl Sealed {
    pub(crate) fn write(
        name: &str,
        copy: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let suffix = std::env::consts::DLL_SUFFIX;
        let path = directory()?.join(format!("{number}-{name}{suffix}"));
        let mut file = File::create_new(&path).map_err(|e| failed("copied", e))?;
        copy(&mut |piece| file.write_all(piece).map_err(|e| failed("copied", e)))?;
        let mut permissions = file.metadata().map_err(|e| failed("copied", e))?.permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).map_err(|e| failed("sealed", e))?;
        Ok(Self(path))
    }

    /// SHA-256 of the file.
    pub(crate) fn digest(&self) -> Result<[u8; 32], Refusal> {
        let mut hash = digest::Context::new(&digest::SHA256);
        self.copy(&mut |piece| {
            hash.update(piece);
            Ok(())
        })?;
        let mut out = [0; 32];
        out.copy_from_slice(hash.finish().as_ref());
        Ok(out)
    }

    /// Hand the bytes to `sink`.
    pub(crate) fn copy(&self, sink: &mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut file = File::open(&self.0).map_err(|e| failed("read back", e))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = file.read(&mut buffer).map_err(|e| failed("read back", e))?;
            if n == 0 {
                return Ok(());
            }
            sink(&buffer[..n])?;
        }
    }

    /// A path for the loader.
    pub(crate) fn keep_for_loading(&self) -> Result<PathBuf, Refusal> {
        Ok(self.0.clone())
    }
}

/// A directory made by this process under a name nobody could foresee.
fn directory() -> Result<PathBuf, Refusal> {
    static DIRECTORY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    DIRECTORY.get_or_init(create).clone().map_err(|e| failed("copied", e))
}

fn create() -> Result<PathBuf, String> {
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).map_err(|e| e.to_string())?;
    let name: String = random.iter().map(|b| format!("{b:02x}")).collect();
    let path = std::env::temp_dir().join(format!("sysmanage-engines-{name}"));
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&path).map_err(|e| e.to_string())?;
    Ok(path)
}
