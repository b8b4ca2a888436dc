//! A CycloneDX bill of materials from what `cargo metadata` says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::PackError;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<CargoPackage>,
    resolve: Option<Resolve>,
}

#[derive(Deserialize)]
struct CargoPackage {
    id: String,
    name: String,
    version: String,
    #[serde(default)]
    license: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
struct DepKind {
    kind: Option<String>,
}

/// `sbom.cdx.json` (CycloneDX 1.6) of the crate `root`, from the output of `cargo metadata --format-version 1`: every
/// crate that is linked in. Test and build dependencies are left out, and so is everything of the building machine.
///
/// # Errors
/// [`PackError::Metadata`].
pub fn sbom(cargo_metadata: &[u8], root: &str) -> Result<Vec<u8>, PackError> {
    let metadata: Metadata =
        serde_json::from_slice(cargo_metadata).map_err(|e| PackError::Metadata(e.to_string()))?;
    let packages: BTreeMap<&str, &CargoPackage> =
        metadata.packages.iter().map(|p| (p.id.as_str(), p)).collect();
    let resolve = metadata.resolve.ok_or_else(|| PackError::Metadata("it has no `resolve`".to_owned()))?;
    let edges: BTreeMap<&str, BTreeSet<&str>> =
        resolve.nodes.iter().map(|n| (n.id.as_str(), linked(n))).collect();
    let root = metadata.packages.iter().find(|p| p.name == root && p.source.is_none());
    let root = root.ok_or_else(|| PackError::Metadata("the crate is not in it".to_owned()))?;

    let mut reached = BTreeSet::new();
    let mut next = vec![root.id.as_str()];
    while let Some(id) = next.pop() {
        if reached.insert(id) {
            next.extend(edges.get(id).into_iter().flatten());
        }
    }
    let purl_of = |id: &str| packages.get(id).map(|p| purl(p));
    let mut components: Vec<_> = reached
        .iter()
        .filter(|id| **id != root.id)
        .filter_map(|id| packages.get(id))
        .map(|p| component(p))
        .collect();
    components.sort_by_key(|c| c["bom-ref"].to_string());
    let depends = |id: &&str| {
        let on: BTreeSet<String> = edges.get(id).into_iter().flatten().filter_map(|d| purl_of(d)).collect();
        Some(json!({ "ref": purl_of(id)?, "dependsOn": on }))
    };
    let mut dependencies: Vec<Value> = reached.iter().filter_map(depends).collect();
    dependencies.sort_by_key(|d| d["ref"].to_string());
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": component(root) },
        "components": components,
        "dependencies": dependencies,
    });
    let mut bytes = serde_json::to_vec_pretty(&bom).map_err(|e| PackError::Metadata(e.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn linked(node: &Node) -> BTreeSet<&str> {
    let normal = |d: &&Dep| d.dep_kinds.iter().any(|k| k.kind.is_none());
    node.deps.iter().filter(normal).map(|d| d.pkg.as_str()).collect()
}

fn purl(package: &CargoPackage) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

fn component(package: &CargoPackage) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": package.name,
        "version": package.version,
        "purl": purl(package),
    });
    if let Some(license) = &package.license {
        component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(description) = &package.description {
        component["description"] = json!(description.trim());
    }
    component
}
