//! Which of our crates may use which: `xtask/deps.toml` against `cargo metadata`.

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
        findings.extend(check_never(&rules, &metadata));
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

fn check_never(rules: &Rules, metadata: &Metadata) -> Vec<Finding> {
    let direct: BTreeMap<&str, Vec<&str>> = metadata
        .packages
        .iter()
        .map(|p| {
            let deps = p.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev"));
            (p.name.as_str(), deps.map(|d| d.name.as_str()).collect())
        })
        .collect();
    let mut findings = Vec::new();
    for (name, banned) in rules.never.iter().filter(|(n, _)| direct.contains_key(n.as_str())) {
        let reached = reachable(&direct, name);
        for b in banned.iter().filter(|b| reached.contains(b.as_str())) {
            findings.push(Finding::new(name, format!("links {b}, which it must never (xtask/deps.toml)")));
        }
    }
    findings
}

fn reachable<'a>(direct: &BTreeMap<&'a str, Vec<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut todo: Vec<&str> = direct.get(from).cloned().unwrap_or_default();
    while let Some(next) = todo.pop() {
        if seen.insert(next) {
            todo.extend(direct.get(next).into_iter().flatten());
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_through_others_is_reached() {
        let direct = BTreeMap::from([("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["a"])]);
        assert_eq!(reachable(&direct, "a"), BTreeSet::from(["a", "b", "c"]));
    }
}
