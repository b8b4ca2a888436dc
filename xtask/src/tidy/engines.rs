//! Every engine has the same tree, so that who knows one knows all.

use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use crate::project::Project;

const FILES: [&str; 11] = [
    "Cargo.toml",
    "CHANGELOG.md",
    "README.md",
    "plugin.toml",
    "src/lib.rs",
    "src/engine.rs",
    "src/error.rs",
    "src/permissions.rs",
    "src/service.rs",
    "src/store.rs",
    "tests/it/main.rs",
];
const ROOT: [&str; 8] =
    ["CHANGELOG.md", "Cargo.toml", "README.md", "plugin.toml", "src", "tests", "ui", "benches"];

/// Check each folder of `plugins/` that holds a crate.
pub fn check(project: &Project) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(project.root.join("plugins")).context("plugins/")? {
        let path = entry?.path();
        if path.join("Cargo.toml").is_file() {
            findings.extend(check_tree(&path));
        }
    }
    Ok(findings)
}

fn check_tree(engine: &Path) -> Vec<Finding> {
    let id = engine.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = format!("plugins/{id}");
    let mut findings: Vec<_> = FILES
        .iter()
        .filter(|f| !engine.join(f).is_file() && !engine.join(f.replace(".rs", "")).is_dir())
        .map(|f| Finding::new(&place, format!("{f} is missing")))
        .collect();
    for entry in std::fs::read_dir(engine).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let empty =
            entry.path().is_dir() && std::fs::read_dir(entry.path()).is_ok_and(|mut d| d.next().is_none());
        if !ROOT.contains(&name.as_str()) && name != "target" {
            findings.push(Finding::new(&place, format!("{name} is not part of an engine's tree")));
        } else if empty {
            findings.push(Finding::new(&place, format!("{name} is empty: a folder not needed is absent")));
        }
    }
    findings
}
