//! A verified package: manifest, files and the sealed library of this system.

use std::collections::BTreeMap;
use std::io;
use std::ops::Deref;
use std::path::Path;

use bytes::Bytes;
use plugin_api::Manifest;
use plugin_api::manifest::Sha256Hex;
use trust::VerifiedSigner;

use crate::seal::SealedLibrary;

/// Proof that something was verified: only the code that verifies can make one.
#[derive(Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A package. Comes only as `Verified<Package>`, from [`Package::verify`] and its siblings.
#[derive(Debug)]
pub struct Package {
    pub(crate) manifest: Manifest,
    pub(crate) manifest_bytes: Bytes,
    pub(crate) signer: VerifiedSigner,
    pub(crate) digest: Sha256Hex,
    pub(crate) files: BTreeMap<String, Bytes>,
    pub(crate) library: SealedLibrary,
}

impl Package {
    /// The signed manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The exact bytes of `plugin.toml`, as signed.
    pub fn manifest_bytes(&self) -> &Bytes {
        &self.manifest_bytes
    }

    /// Who signed it.
    pub fn signer(&self) -> &VerifiedSigner {
        &self.signer
    }

    /// SHA-256 of the whole `.engine` file.
    pub fn digest(&self) -> Sha256Hex {
        self.digest
    }

    /// A file's content by its path in the package, e.g. `ui/index.js`. Libraries are not kept.
    pub fn file(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).cloned()
    }

    /// Every file below `prefix` (`ui/`, or empty for all), by path.
    pub fn files<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Bytes)> {
        let from = self.files.range(prefix.to_owned()..);
        from.take_while(move |(path, _)| path.starts_with(prefix)).map(|(path, bytes)| (path.as_str(), bytes))
    }

    /// Write every file below `prefix` into `directory`, which must not hold any of them yet.
    ///
    /// # Errors
    /// Those of the file system; what was written stays for the caller to remove.
    pub fn extract(&self, prefix: &str, directory: &Path) -> io::Result<()> {
        for (path, content) in self.files(prefix) {
            let target = directory.join(path);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&target)?;
            io::Write::write_all(&mut file, content)?;
        }
        Ok(())
    }
}
