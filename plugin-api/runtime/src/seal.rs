//! A library's bytes where nobody can change them between the check and the load.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use plugin_api::manifest::Sha256Hex;

use crate::Refusal;
use crate::refusal::RefusalKind::LoadFailed;

#[cfg(target_os = "linux")]
mod memfd;
#[cfg(target_os = "linux")]
use memfd as store;
#[cfg(not(target_os = "linux"))]
mod private_directory;
#[cfg(not(target_os = "linux"))]
use private_directory as store;

pub(crate) use store::Sealed;
#[cfg(target_os = "linux")]
pub(crate) use store::path_of;

/// The library of this system, sealed and checked against the manifest.
pub(crate) struct SealedLibrary {
    sealed: Option<Sealed>,
    name: String,
    sha256: Sha256Hex,
    /// Whether the sealed copy was handed to the loader of this process already.
    loaded: AtomicBool,
}

impl fmt::Debug for SealedLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedLibrary").field("name", &self.name).field("sha256", &self.sha256).finish()
    }
}

impl SealedLibrary {
    /// Read a library through `copy`, seal it, and compare the digest of the sealed bytes.
    pub(crate) fn read(
        name: &str,
        sha256: Sha256Hex,
        copy: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let sealed = Sealed::write(name, copy)?;
        if sealed.digest()? != sha256.0 {
            return Err(crate::verify::digest_mismatch(&format!("library of {name}")));
        }
        Ok(Self { sealed: Some(sealed), name: name.to_owned(), sha256, loaded: AtomicBool::new(false) })
    }

    /// No library: a tool does not load.
    pub(crate) fn none() -> Result<Self, Refusal> {
        let (name, sha256) = (String::new(), Sha256Hex([0; 32]));
        Ok(Self { sealed: None, name, sha256, loaded: AtomicBool::new(true) })
    }

    pub(crate) fn sealed(&self) -> Result<&Sealed, Refusal> {
        self.sealed
            .as_ref()
            .ok_or_else(|| Refusal::new(LoadFailed, "The package was verified by a tool only."))
    }

    /// A path for this process's loader, good for ever, and another one at each call: loaders take two libraries at
    /// one path, or one inode, for the same.
    pub(crate) fn path_to_load(&self) -> Result<PathBuf, Refusal> {
        let sealed = self.sealed()?;
        if !self.loaded.swap(true, Ordering::SeqCst) {
            return sealed.keep_for_loading();
        }
        let copy = Self::read(&self.name, self.sha256, |sink| sealed.copy(sink))?;
        copy.sealed()?.keep_for_loading()
    }
}

pub(crate) fn failed(what: &str, error: impl fmt::Display) -> Refusal {
    Refusal::new(LoadFailed, format!("The library cannot be {what}: {error}."))
}
