//! Engine packages as a publisher, a careless one or an attacker would make them.

use anyhow::{Context, Result};
use license_issuer::{Credential, development};
use plugin_packager::SealedPackage;
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
