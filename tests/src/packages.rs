//! Engine packages as a publisher, a careless one or an attacker would make them.

use anyhow::{Context, Result, ensure};
use chrono::Utc;
use license_issuer::{Credential, development};
use plugin_packager::{Draft, SealedPackage};
use semver::Version;

use crate::bins;

/// A package of an engine, read for variation.
///
/// # Errors
/// When it was not packed.
pub fn read(id: &str) -> Result<SealedPackage> {
    let path = bins::package(id)?;
    let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    Ok(SealedPackage::read(file)?)
}

/// Bytes of a package, signed with the development publisher's key.
///
/// # Errors
/// When it cannot be signed or written.
pub fn signed(package: &SealedPackage) -> Result<Vec<u8>> {
    signed_by(package, &development::publisher_signer())
}

/// Bytes of a package, signed with any key.
///
/// # Errors
/// When it cannot be signed or written.
pub fn signed_by(package: &SealedPackage, key: &Credential) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    package.write(&key.sign_package(package.manifest_toml())?, &mut bytes)?;
    Ok(bytes)
}

/// The next patch version.
pub fn next(version: &Version) -> Version {
    Version::new(version.major, version.minor, version.patch + 1)
}

/// The same engine, one patch version up. A version stands in the manifest and in the library; building a second library
/// for each test would say nothing more, so the text in it is replaced. (The contract's version, when it is the same text,
/// goes along: engines ask for `^0.1`.)
///
/// # Errors
/// When the library holds no version of its own.
pub fn bumped(package: &SealedPackage) -> Result<SealedPackage> {
    let version = &package.manifest().version;
    let (old, new) = (version.to_string(), next(version).to_string());
    let mut draft = Draft::new(std::str::from_utf8(package.manifest_toml())?, Utc::now())?;
    draft.manifest_mut().version = next(version);
    for (path, content) in package.files() {
        match path.strip_prefix("lib/").and_then(|p| p.split('/').next()) {
            Some(target) => draft.library(target, replaced(content, old.as_bytes(), new.as_bytes())?),
            None => draft.file(path, content.to_vec()),
        }
    }
    Ok(draft.seal()?)
}

/// Every occurrence replaced by text of the same length.
fn replaced(content: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>> {
    let mut out = content.to_vec();
    ensure!(old.len() == new.len(), "the new version must be as long as the old one");
    let places: Vec<usize> =
        content.windows(old.len()).enumerate().filter(|(_, w)| *w == old).map(|(i, _)| i).collect();
    ensure!(!places.is_empty(), "the library names no version");
    for at in places {
        out[at..at + new.len()].copy_from_slice(new);
    }
    Ok(out)
}
