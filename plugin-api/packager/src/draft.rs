//! A package that is being put together.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use plugin_api::Manifest;
use plugin_api::manifest::{FileEntry, ManifestError, Sha256Hex};
use ring::digest::{SHA256, digest};
use toml::{Table, Value};

use crate::{PackError, SealedPackage};

/// A manifest and the files so far. Targets and files of the manifest are filled in by [`Draft::seal`].
#[derive(Debug, Clone)]
pub struct Draft {
    manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

impl Draft {
    /// Begin with the text of a `plugin.toml`. It needs no `built_at`, `targets` and `files`; what it says of them counts
    /// for nothing.
    ///
    /// # Errors
    /// [`PackError::Manifest`] when another key is missing or wrong.
    pub fn new(template: &str, built_at: DateTime<Utc>) -> Result<Self, PackError> {
        let mut table: Table = template.parse().map_err(|e: toml::de::Error| syntax(&e))?;
        let built_at = built_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        table.insert("built_at".to_owned(), Value::String(built_at));
        table.insert("targets".to_owned(), Value::Array(Vec::new()));
        table.remove("files");
        let manifest = table.try_into().map_err(|e: toml::de::Error| syntax(&e))?;
        Ok(Self { manifest, files: BTreeMap::new() })
    }

    /// The manifest, e.g. to read its id or set its version.
    pub fn manifest_mut(&mut self) -> &mut Manifest {
        &mut self.manifest
    }

    /// Add a file by its path in the package; one of that path is replaced.
    pub fn file(&mut self, path: &str, content: Vec<u8>) {
        self.files.insert(path.to_owned(), content);
    }

    /// Add the library for a Rust target triple.
    pub fn library(&mut self, target: &str, content: Vec<u8>) {
        self.file(&self.manifest.library_path(target), content);
        if !self.manifest.targets.iter().any(|t| t == target) {
            self.manifest.targets.push(target.to_owned());
        }
    }

    /// Add every file below a directory, under `prefix` (`ui`). Hidden files are left out.
    ///
    /// # Errors
    /// [`PackError::File`]; [`PackError::Name`] for a link or a name that is not UTF-8.
    pub fn directory(&mut self, prefix: &str, directory: &Path) -> Result<(), PackError> {
        let failed = |source| PackError::File { path: directory.to_owned(), source };
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| PackError::Name(name.to_string_lossy().into_owned()))?;
            let path = format!("{prefix}/{name}");
            if name.starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                self.directory(&path, &entry.path())?;
            } else if kind.is_file() {
                self.file(&path, std::fs::read(entry.path()).map_err(failed)?);
            } else {
                return Err(PackError::Name(path));
            }
        }
        Ok(())
    }

    /// Fill in targets and files, check the manifest, and fix its bytes.
    ///
    /// # Errors
    /// [`PackError::Manifest`].
    pub fn seal(mut self) -> Result<SealedPackage, PackError> {
        self.manifest.targets.sort();
        self.manifest.files = self.files.iter().map(|(path, content)| entry(path, content)).collect();
        let text = self.manifest.to_toml()?;
        let manifest = Manifest::parse(text.as_bytes())?;
        Ok(SealedPackage { manifest, manifest_toml: text.into_bytes(), files: self.files })
    }
}

fn entry(path: &str, content: &[u8]) -> FileEntry {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, content).as_ref());
    FileEntry { path: path.to_owned(), size: content.len() as u64, sha256: Sha256Hex(sha256) }
}

fn syntax(error: &dyn std::fmt::Display) -> PackError {
    PackError::Manifest(ManifestError::Syntax(error.to_string()))
}
