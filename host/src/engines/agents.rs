//! The agents' side: which engines a machine runs, and their packages.

use agent_protocol::{
    engine::{AssignedEngine, EngineAssign},
    inventory::Digest,
};
use futures_util::future::BoxFuture;
use serde_bytes::ByteBuf;
use uuid::Uuid;

use super::{service::Engines, state::State, store};
use crate::gateway::{EnginePackages, PackageFile};

impl EnginePackages for Engines {
    /// Every active engine with commands and a library for the machine's system.
    fn assigned<'a>(&'a self, _machine: Uuid, target: &'a str) -> BoxFuture<'a, EngineAssign> {
        Box::pin(async move {
            let Some(app) = self.app() else { return EngineAssign::default() };
            let mut engines = Vec::new();
            for entry in self.entries() {
                let Some(manifest) = entry.manifest() else { continue };
                let fits = !manifest.commands.is_empty() && manifest.targets.iter().any(|t| t == target);
                if !fits || self.entry_state(&entry) != State::Active {
                    continue;
                }
                let version = manifest.version.to_string();
                let row = store::version(self.0.core.db.read(), &entry.id, &version).await.ok().flatten();
                let Some((row, digest)) = row.and_then(|r| Digest::from_hex(&r.sha256).map(|d| (r, d)))
                else {
                    continue;
                };
                let proof = serde_json::to_vec(&app.license.proof(&entry.id)).unwrap_or_default();
                engines.push(AssignedEngine {
                    id: entry.id.clone(),
                    version,
                    digest,
                    size: row.size.try_into().unwrap_or(0),
                    license_proof: ByteBuf::from(proof),
                });
            }
            let revocations = app.license.trust().revocations().to_text();
            let none = app.license.trust().revocations().is_empty();
            let revocations = if none { ByteBuf::new() } else { ByteBuf::from(revocations.into_bytes()) };
            EngineAssign { engines, revocations }
        })
    }

    fn package<'a>(
        &'a self,
        _machine: Uuid,
        id: &'a str,
        version: &'a str,
    ) -> BoxFuture<'a, Option<PackageFile>> {
        Box::pin(async move {
            let entry = self.entry(id)?;
            let current = entry.manifest()?;
            if self.entry_state(&entry) != State::Active || current.version.to_string() != version {
                return None;
            }
            let row = store::version(self.0.core.db.read(), id, version).await.ok()??;
            Some(PackageFile {
                path: self.0.files.package(id, version),
                size: row.size.try_into().ok()?,
                digest: row.sha256,
            })
        })
    }
}
