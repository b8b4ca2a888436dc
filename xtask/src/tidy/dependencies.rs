//! Which of our crates may use which: `xtask/deps.toml` against `cargo metadata` and `cargo tree`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::Finding;
use crate::project::{Metadata, Project};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    /// Crate -> our crates it may name in `[dependencies]`.
    direct: BTreeMap<String, Vec<String>>,
    /// Crate -> crates it may not link even through others.
    never: BTreeMap<String, Vec<String>>,
    /// What every engine may name of ours.
    engine: Vec<String>,
}

/// Check both workspaces.
pub fn check(project: &Project) -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(project.root.join("xtask/deps.toml")).context("xtask/deps.toml")?;
    let rules: Rules = toml::from_str(&text)?;
    let mut findings = Vec::new();
    for manifest in ["Cargo.toml", "plugins/Cargo.toml"] {
        let metadata = project.metadata(manifest)?;
        findings.extend(check_direct(&rules, &metadata));
        findings.extend(check_never(project, &rules, manifest, &metadata)?);
    }
    Ok(findings)
}

fn check_direct(rules: &Rules, metadata: &Metadata) -> Vec<Finding> {
    let ours: BTreeSet<&str> =
        metadata.packages.iter().filter(|p| p.source.is_none()).map(|p| p.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in metadata.packages.iter().filter(|p| p.source.is_none()) {
        let is_engine = package.manifest_path.contains("/plugins/");
        let allowed = if is_engine { Some(&rules.engine) } else { rules.direct.get(&package.name) };
        let Some(allowed) = allowed else {
            findings.push(Finding::new(
                &package.name,
                "not in xtask/deps.toml: say which of our crates it may use",
            ));
            continue;
        };
        for dep in package.dependencies.iter().filter(|d| d.kind.is_none() && ours.contains(d.name.as_str()))
        {
            if !allowed.contains(&dep.name) {
                let advice = format!("may not depend on {} (xtask/deps.toml)", dep.name);
                findings.push(Finding::new(&package.name, advice));
            }
        }
    }
    findings
}

fn check_never(
    project: &Project,
    rules: &Rules,
    manifest: &str,
    metadata: &Metadata,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in metadata.packages.iter().filter(|p| p.source.is_none()) {
        let Some(banned) = rules.never.get(&package.name) else { continue };
        let linked = project.linked(manifest, &package.name)?;
        for b in banned.iter().filter(|b| linked.contains(*b)) {
            let advice = format!("links {b}, which it must never (xtask/deps.toml)");
            findings.push(Finding::new(&package.name, advice));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_through_others_is_linked() {
        let project = Project::find().expect("this crate lies in the project");
        let linked = project.linked("Cargo.toml", "license-issuer").expect("cargo answers");
        assert!(linked.contains("untrusted"), "through ring: {linked:?}");
        assert!(!linked.contains("sysmanage"));
    }
}
