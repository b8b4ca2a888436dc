//! Releases of the agent for tests: any program, signed by anybody.

use std::{path::Path, process::Command};

use agent_protocol::release::{Head, ID, ReleaseManifest};
use anyhow::{Context, Result, ensure};
use license_issuer::Credential;

/// The target triple of the agent on this machine.
///
/// # Errors
/// When the agent does not say.
pub fn target() -> Result<String> {
    let out = Command::new(crate::bins::binary("sysmanage-agent")?).arg("version").output()?;
    let text = String::from_utf8(out.stdout)?;
    let target = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(target, _)| target);
    Ok(target.context("no target")?.to_owned())
}

/// A release file of `program` under a version, signed by `publisher`.
///
/// # Errors
/// When it cannot be signed.
pub fn sign(program: &[u8], version: &str, target: &str, publisher: &Credential) -> Result<Vec<u8>> {
    let manifest = ReleaseManifest {
        v: 1,
        id: ID.into(),
        version: version.into(),
        target: target.into(),
        size: program.len() as u64,
        sha256: sha256(program)?,
        built_at: chrono::Utc::now().timestamp_millis(),
    };
    let manifest_bytes = serde_json::to_vec(&manifest)?;
    let signatures = publisher.sign_package(&manifest_bytes)?.to_bytes();
    Ok([Head { manifest, manifest_bytes, signatures }.to_bytes(), program.to_vec()].concat())
}

/// The real agent's program.
///
/// # Errors
/// When it is not built.
pub fn agent() -> Result<Vec<u8>> {
    Ok(std::fs::read(crate::bins::binary("sysmanage-agent")?)?)
}

/// SHA-256 in hexadecimal, by the system's own tool.
///
/// # Errors
/// When there is none.
pub fn sha256(bytes: &[u8]) -> Result<String> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), bytes)?;
    sha256_of(file.path())
}

fn sha256_of(path: &Path) -> Result<String> {
    let out = Command::new("sha256sum").arg(path).output()?;
    ensure!(out.status.success(), "sha256sum failed");
    Ok(String::from_utf8(out.stdout)?.split(' ').next().unwrap_or_default().to_owned())
}
