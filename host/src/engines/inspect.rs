//! A package looked at before it is taken in: whose it is, and what it asks for beyond the version in use.

use std::collections::BTreeSet;

use axum::body::Body;
use plugin_api::Capability;
use semver::Version;
use serde::Serialize;
use utoipa::ToSchema;

use super::{EngineFault, service::Engines, store};
use crate::ctx::Ctx;

/// What a package is and asks for. Nothing of it is stored or run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inspection {
    /// Engine.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the package.
    pub sha256: String,
    /// Who signed it.
    pub publisher: String,
    /// Version in use; absent when the engine is not installed.
    pub current: Option<String>,
    /// The version floor, when this version is below it: installing it would be refused.
    pub below: Option<String>,
    /// Capabilities it asks for.
    pub capabilities: Vec<AskedCapability>,
    /// Capabilities that the version in use asks for, and this one does not.
    pub dropped: Vec<String>,
    /// Permissions that the version in use does not have.
    pub new_permissions: Vec<String>,
}

/// A capability that a package asks for.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedCapability {
    /// Name.
    pub name: String,
    /// What granting it lets the engine do.
    pub describes: String,
    /// Whether the version in use does not ask for it.
    pub new: bool,
    /// Whether it will hold once the package is installed.
    pub granted: bool,
}

impl Engines {
    /// Verify an upload and say what installing it would change.
    ///
    /// # Errors
    /// [`EngineFault`], as installing it would answer.
    pub async fn inspect(&self, ctx: &Ctx, body: Body) -> Result<Inspection, EngineFault> {
        ctx.require("engines:install")?;
        let (path, file) = self.0.files.incoming()?;
        let inspected = match self.receive(file, body).await {
            Ok(()) => self.look(&path).await,
            Err(fault) => Err(fault),
        };
        let _ = tokio::fs::remove_file(&path).await;
        inspected
    }

    async fn look(&self, path: &std::path::Path) -> Result<Inspection, EngineFault> {
        let package = self.verify(path, self.admission_time()).await?;
        let manifest = package.manifest();
        let db = self.0.core.db.read();
        let row = store::engine(db, &manifest.id).await?;
        let before = self.known(&manifest.id).ok().and_then(|e| e.manifest());
        let had: BTreeSet<&str> =
            before.iter().flat_map(|m| &m.capabilities.uses).map(|c| c.name()).collect();
        let decided = store::grants(db, &manifest.id).await?;
        let vendor = package.signer().realm.is_vendor();
        let capability = |c: &Capability| AskedCapability {
            name: c.name().into(),
            describes: c.describes().into(),
            new: !had.contains(c.name()),
            granted: decided.get(c.name()).map_or(vendor, |g| g.granted),
        };
        let asked: Vec<_> = manifest.capabilities.uses.iter().map(capability).collect();
        let dropped = had.iter().filter(|name| asked.iter().all(|c| c.name != **name));
        let highest = row.as_ref().and_then(|r| Version::parse(&r.highest).ok());
        Ok(Inspection {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            description: manifest.description.clone(),
            version: manifest.version.to_string(),
            sha256: package.digest().to_string(),
            publisher: package.signer().subject.clone(),
            current: row.and_then(|r| r.current),
            below: highest.filter(|h| manifest.version < *h).map(|h| h.to_string()),
            dropped: dropped.map(|name| (*name).to_owned()).collect(),
            new_permissions: new_permissions(before.as_deref(), manifest),
            capabilities: asked,
        })
    }
}

fn new_permissions(before: Option<&plugin_api::Manifest>, after: &plugin_api::Manifest) -> Vec<String> {
    let had: BTreeSet<&str> = before.iter().flat_map(|m| &m.permissions).map(|p| p.name.as_str()).collect();
    let new = after.permissions.iter().filter(|p| !had.contains(p.name.as_str()));
    new.map(|p| p.name.clone()).collect()
}
