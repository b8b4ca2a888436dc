//! The vendor's products by tier: what could be covered, installed here or not. Data, so that a new product is a new line.

use plugin_sdk::payloads::licenses::LicenseReport;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A product.
#[derive(Debug, Clone, Deserialize)]
struct Product {
    id: String,
    name: String,
    tier: String,
    features: Vec<String>,
}

/// A row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Row {
    /// Engine, as licences name it.
    pub engine: String,
    /// Name for people.
    pub name: String,
    /// The tier it is sold in; the higher tier holds it too.
    pub tier: String,
    /// What it brings.
    pub features: Vec<String>,
    /// Whether Professional holds it.
    pub professional: bool,
    /// Whether Enterprise holds it.
    pub enterprise: bool,
    /// Version installed here.
    pub installed: Option<String>,
    /// `granted`, `grace`, `read_only`, `locked`; `covered` when a licence names it and it is not installed.
    pub state: String,
    /// Why it is not granted, and what would help; absent when everything works.
    pub missing: Option<String>,
}

/// Every product, and every other engine that is installed.
pub fn matrix(report: &LicenseReport) -> Vec<Row> {
    let products: Vec<Product> =
        serde_json::from_str(include_str!("catalogue.json")).expect("the catalogue is tested");
    let mut rows: Vec<Row> = products.into_iter().map(|p| row(p, report)).collect();
    for engine in &report.engines {
        if !rows.iter().any(|r| r.engine == engine.id) {
            let (id, name, tier) = (engine.id.clone(), engine.name.clone(), engine.tier.clone());
            rows.push(row(Product { id, name, tier, features: engine.pages.clone() }, report));
        }
    }
    rows
}

fn row(product: Product, report: &LicenseReport) -> Row {
    let installed = report.engines.iter().find(|e| e.id == product.id);
    let named = report
        .licenses
        .iter()
        .filter(|l| l.revoked.is_none())
        .any(|l| l.engines.iter().any(|e| e.split_whitespace().next() == Some(product.id.as_str())));
    let (state, missing) = match installed {
        Some(e) if e.state == "granted" => ("granted", None),
        Some(e) => (e.state.as_str(), Some(said(&e.sentence, e.unlocks.as_deref()))),
        None if named => ("covered", Some("A licence names it; install its package to use it.".to_owned())),
        None => ("locked", Some(format!("No licence names it. The {} tier holds it.", product.tier))),
    };
    Row {
        professional: product.tier == "professional",
        enterprise: true,
        installed: installed.map(|e| e.version.clone()),
        state: state.to_owned(),
        missing,
        engine: product.id,
        name: product.name,
        tier: product.tier,
        features: product.features,
    }
}

fn said(sentence: &str, unlocks: Option<&str>) -> String {
    match unlocks {
        Some(unlocks) => format!("{sentence} {unlocks}"),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugin_sdk::payloads::licenses::{EngineFacts, LicenseFacts};

    #[test]
    fn a_row_says_what_is_missing_and_why() {
        let report = LicenseReport {
            licenses: vec![LicenseFacts { engines: vec!["health *".into()], ..Default::default() }],
            engines: vec![EngineFacts {
                id: "acme_disks".into(),
                name: "Disks".into(),
                state: "locked".into(),
                sentence: "No licence names it.".into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let rows = matrix(&report);
        let of = |id: &str| rows.iter().find(|r| r.engine == id).expect(id);
        assert_eq!(of("health").state, "covered");
        assert_eq!(of("fleet").state, "locked");
        assert!(of("fleet").missing.as_deref().is_some_and(|m| m.contains("enterprise")));
        assert_eq!(of("acme_disks").missing.as_deref(), Some("No licence names it."));
        assert!(rows.iter().all(|r| (r.state == "granted") == r.missing.is_none()));
    }
}
