//! What is here of each engine, for who offers other versions.

use std::collections::BTreeMap;

use semver::Version;

use super::{EngineFault, service::Engines, store};

/// What is here of one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The version in use; absent once uninstalled.
    pub current: Option<Version>,
    /// The highest version ever installed.
    pub highest: Version,
    /// Versions that were swapped out again, and why.
    pub bad: BTreeMap<Version, String>,
}

impl Engines {
    /// What is here, by engine.
    pub(crate) async fn stored(&self) -> Result<BTreeMap<String, Stored>, EngineFault> {
        let db = self.0.core.db.read();
        let mut bad: BTreeMap<String, BTreeMap<Version, String>> = BTreeMap::new();
        for row in store::bad_versions(db).await? {
            if let (Ok(version), Some(why)) = (row.version.parse(), row.bad) {
                bad.entry(row.engine).or_default().insert(version, why);
            }
        }
        let stored = self.entries().into_iter().filter_map(|entry| {
            let row = entry.row();
            let stored = Stored {
                current: row.current.and_then(|v| v.parse().ok()),
                highest: row.highest.parse().ok()?,
                bad: bad.remove(&row.id).unwrap_or_default(),
            };
            Some((row.id, stored))
        });
        Ok(stored.collect())
    }
}
