//! Where the built binaries and engine packages are.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

fn from_env(variable: &str, below_target: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(below_target),
        PathBuf::from,
    )
}

/// Path of a built binary, e.g. `sysmanage`.
///
/// # Errors
/// When it was not built.
pub fn binary(name: &str) -> Result<PathBuf> {
    let path = from_env("SYSMANAGE_BIN_DIR", "debug").join(name);
    ensure!(
        path.is_file(),
        "{} is not built: run `cargo build -p sysmanage -p sysmanage-agent`",
        path.display()
    );
    path.canonicalize().context("canonical path of a binary")
}

/// Path of the newest signed package of an engine, as `cargo xtask engine pack` wrote it.
///
/// # Errors
/// When there is none.
pub fn package(id: &str) -> Result<PathBuf> {
    let dir = from_env("SYSMANAGE_ENGINES_DIR", "engines/packages");
    let prefix = format!("{id}-");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&dir)
        .with_context(|| format!("{} is missing: run `cargo xtask engine pack-all`", dir.display()))?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&prefix)))
        .filter(|p| p.extension().is_some_and(|e| e == "engine"))
        .collect();
    found.sort();
    found.pop().with_context(|| format!("no package of {id} in {}", dir.display()))
}
