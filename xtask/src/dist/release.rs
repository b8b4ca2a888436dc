//! The signed release of the agent that hosts give to their machines.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use agent_protocol::release::{Head, ID, ReleaseManifest};
use anyhow::{Context, Result};

use super::output;
use crate::engine::Key;

/// Sign the program. Without a key only a debug build is signed, with the development key that debug builds believe.
pub(super) fn write(program: &Path, out: &Path, key: &Key, debug: bool) -> Result<Option<PathBuf>> {
    if !key.is_given() && !debug {
        return Ok(None);
    }
    let publisher = key.credential()?;
    let says = output(Command::new(program).arg("version"))?;
    let words: Vec<&str> = says.split_whitespace().collect();
    let [_, version, target] = words[..] else { anyhow::bail!("the agent says `{says}` of its version") };
    let target = target.trim_matches(['(', ')']);
    let bytes = fs::read(program)?;
    let sum = output(Command::new("sha256sum").arg(program))?;
    let manifest = ReleaseManifest {
        v: 1,
        id: ID.into(),
        version: version.into(),
        target: target.into(),
        size: bytes.len() as u64,
        sha256: sum.split(' ').next().context("a digest")?.into(),
        built_at: chrono::Utc::now().timestamp_millis(),
    };
    let manifest_bytes = serde_json::to_vec(&manifest)?;
    let signatures = publisher.sign_package(&manifest_bytes)?.to_bytes();
    let head = Head { manifest, manifest_bytes, signatures }.to_bytes();
    let file = out.join(format!("sysmanage-agent-{version}-{target}.agent"));
    fs::write(&file, [head, bytes].concat())?;
    Ok(Some(file))
}
