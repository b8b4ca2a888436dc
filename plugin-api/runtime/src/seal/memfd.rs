//! Linux: a sealed memory file.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use ring::digest;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::failed;
use crate::Refusal;

/// A memory file that can no longer be written, grown, shrunk or unsealed.
pub(crate) struct Sealed(OwnedFd);

impl Sealed {
    pub(crate) fn write(
        name: &str,
        copy: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Kernels since 6.3 may refuse to execute memory files made without this flag; older ones do not know it.
        let fd = memfd_create(name, flags | MemfdFlags::EXEC)
            .or_else(|_| memfd_create(name, flags))
            .map_err(|e| failed("copied into memory", e))?;
        let mut file = File::from(fd);
        copy(&mut |piece| file.write_all(piece).map_err(|e| failed("copied into memory", e)))?;
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        fcntl_add_seals(&file, seals).map_err(|e| failed("sealed", e))?;
        Ok(Self(file.into()))
    }

    /// SHA-256 of the sealed bytes.
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

    /// Hand the sealed bytes to `sink`.
    pub(crate) fn copy(&self, sink: &mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let file = File::from(self.duplicate()?);
        let mut buffer = vec![0; 1 << 16];
        let mut at = 0;
        loop {
            let n = file.read_at(&mut buffer, at).map_err(|e| failed("read back", e))?;
            if n == 0 {
                return Ok(());
            }
            sink(&buffer[..n])?;
            at += n as u64;
        }
    }

    /// Another descriptor of the same bytes, for a child process.
    pub(crate) fn duplicate(&self) -> Result<OwnedFd, Refusal> {
        self.0.try_clone().map_err(|e| failed("handed on", e))
    }

    /// A path for `dlopen`. Its descriptor is never closed: were its number reused, the loader would take the next
    /// library for this one.
    pub(crate) fn keep_for_loading(&self) -> Result<PathBuf, Refusal> {
        Ok(path_of(self.duplicate()?))
    }
}

impl AsFd for Sealed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The path of a descriptor that is kept open for ever.
pub(crate) fn path_of(fd: OwnedFd) -> PathBuf {
    debug_assert!(fd.as_raw_fd() > 2, "standard streams are not libraries");
    PathBuf::from(format!("/proc/self/fd/{}", fd.into_raw_fd()))
}
