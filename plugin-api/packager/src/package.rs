//! A package whose manifest and files are fixed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use license_issuer::Credential;
use plugin_api::Manifest;
use trust::SignatureSet;

use crate::archive::{read_archive, write_archive};
use crate::{DEFAULT_LEVEL, PackError};

/// A complete package but for its signature.
#[derive(Debug, Clone)]
pub struct SealedPackage {
    pub(crate) manifest: Manifest,
    pub(crate) manifest_toml: Vec<u8>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl SealedPackage {
    /// Read a package that was written before, to sign it anew. Its signature is not looked at: whoever signs vouches.
    ///
    /// # Errors
    /// [`PackError::Archive`] when it is none, [`PackError::Manifest`].
    pub fn read(file: impl Read) -> Result<Self, PackError> {
        let mut files = read_archive(file)?;
        files.remove("plugin.sig");
        let manifest_toml = files.remove("plugin.toml").unwrap_or_default();
        Ok(Self { manifest: Manifest::parse(&manifest_toml)?, manifest_toml, files })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bytes of `plugin.toml`: what is to be signed.
    pub fn manifest_toml(&self) -> &[u8] {
        &self.manifest_toml
    }

    /// Every file but `plugin.toml` and `plugin.sig`, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// `<id>-<version>.engine`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.engine", self.manifest.id, self.manifest.version)
    }

    /// Sign with one credential.
    ///
    /// # Errors
    /// [`PackError::Sign`].
    pub fn signed_by(&self, publisher: &Credential) -> Result<SignatureSet, PackError> {
        Ok(publisher.sign_package(&self.manifest_toml)?)
    }

    /// Write the archive at the level of releases.
    ///
    /// # Errors
    /// [`PackError::Archive`], [`PackError::Name`].
    pub fn write(&self, signatures: &SignatureSet, out: impl Write) -> Result<(), PackError> {
        self.write_at(DEFAULT_LEVEL, signatures, out)
    }

    /// Write the archive at another zstd level, e.g. 1 for tests. Files come by name, after `plugin.toml` and
    /// `plugin.sig`, so that a host unpacks nothing before it has verified the signature.
    ///
    /// # Errors
    /// [`PackError::Archive`], [`PackError::Name`].
    pub fn write_at(&self, level: i32, signatures: &SignatureSet, out: impl Write) -> Result<(), PackError> {
        let signatures = signatures.to_bytes();
        let first = [("plugin.toml", &self.manifest_toml[..]), ("plugin.sig", &signatures[..])];
        write_archive(first.into_iter().chain(self.files()), level, out)
    }

    /// The archive in memory.
    ///
    /// # Errors
    /// [`PackError::Name`].
    pub fn to_bytes(&self, signatures: &SignatureSet) -> Result<Vec<u8>, PackError> {
        let mut out = Vec::new();
        self.write(signatures, &mut out)?;
        Ok(out)
    }

    /// Write the archive into a directory under its file name, whole or not at all; gives the path.
    ///
    /// # Errors
    /// [`PackError::File`] and those of [`SealedPackage::write`].
    pub fn write_into(&self, directory: &Path, signatures: &SignatureSet) -> Result<PathBuf, PackError> {
        let target = directory.join(self.file_name());
        let partial = directory.join(format!(".{}.partial", self.file_name()));
        let failed = |source| PackError::File { path: target.clone(), source };
        std::fs::write(&partial, self.to_bytes(signatures)?).map_err(failed)?;
        std::fs::rename(&partial, &target).map_err(failed)?;
        Ok(target)
    }
}
