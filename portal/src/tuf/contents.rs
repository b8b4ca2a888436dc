//! What is distributed: releases that are not withdrawn, each under its publisher's role, and the vendor's documents.

use std::collections::BTreeMap;

use distribution::{
    EngineRelease, engine_path,
    publish::{Contents, Publisher, TargetFile, publisher_role},
};
use ring::digest::{SHA256, digest};

use super::TufError;
use crate::releases::Release;

/// A document of the vendor.
pub(super) struct Document {
    pub(super) name: &'static str,
    pub(super) content: Vec<u8>,
}

impl Document {
    fn target(&self) -> TargetFile {
        TargetFile {
            path: self.name.to_owned(),
            length: self.content.len() as u64,
            sha256: self.sum(),
            custom: serde_json::Value::Null,
        }
    }

    pub(super) fn sum(&self) -> [u8; 32] {
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, &self.content).as_ref());
        sum
    }
}

/// All that is distributed. Releases come newest first; the publisher of an engine's newest release speaks for the engine.
pub(super) fn contents(releases: &[Release], documents: &[Document]) -> Result<Contents, TufError> {
    let mut publisher_of: BTreeMap<&str, String> = BTreeMap::new();
    let mut publishers: BTreeMap<String, Publisher> = BTreeMap::new();
    for release in releases.iter().filter(|release| release.yanked.is_none()) {
        let role = publisher_of.entry(&release.engine).or_insert_with(|| publisher_role(&release.publisher));
        let publisher = publishers.entry(role.clone()).or_insert_with(|| Publisher {
            role: role.clone(),
            engines: Vec::new(),
            targets: Vec::new(),
        });
        if !publisher.engines.contains(&release.engine) {
            publisher.engines.push(release.engine.clone());
        }
        for file in &release.files {
            publisher.targets.push(target(release, file)?);
        }
    }
    for publisher in publishers.values_mut() {
        publisher.engines.sort();
    }
    let targets = documents.iter().map(Document::target).collect();
    Ok(Contents { targets, publishers: publishers.into_values().collect() })
}

fn target(release: &Release, file: &crate::releases::File) -> Result<TargetFile, TufError> {
    let custom = EngineRelease {
        engine: release.engine.clone(),
        version: release.version.clone(),
        channel: release.channel.name().to_owned(),
        target: file.target.clone(),
        name: release.name.clone(),
        description: release.description.clone(),
        publisher: release.publisher.clone(),
        tier: release.tier.clone(),
        entitlement: release.entitlement.clone(),
        requires: release.requires.clone(),
        notes: release.notes.clone(),
        built_at: release.built_at,
        published_at: release.published_at,
    };
    Ok(TargetFile {
        path: engine_path(&release.engine, &release.version, &file.target),
        length: file.size,
        sha256: file.sha256.0,
        custom: serde_json::to_value(custom).map_err(|e| TufError::Keys(e.to_string()))?,
    })
}
