//! Takes packages in: from the drop-in folder, an upload or the CLI.

use std::{path::Path, sync::Arc};

use axum::body::Body;
use futures_util::StreamExt;
use plugin_runtime::{Package, Verified};
use semver::Version;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    EngineFault,
    entity::{engine, version},
    live::Entry,
    service::Engines,
    state::Phase,
    store,
};
use crate::ctx::Ctx;

/// What taking a package in did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Installed {
    /// Engine.
    pub id: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the package.
    pub sha256: String,
    /// State of the engine now.
    pub state: String,
    /// Why it does not serve this version, when it does not.
    pub note: Option<String>,
}

/// What a package was listed as, by whoever offered it.
#[derive(Clone, Copy)]
pub struct Listed<'a> {
    /// Engine.
    pub engine: &'a str,
    /// Version.
    pub version: &'a Version,
    /// Called once the package is verified, before it is brought up.
    pub verified: &'a (dyn Fn() + Send + Sync),
}

impl Engines {
    fn limit(&self) -> u64 {
        u64::from(self.0.core.config.engines.max_package_mib) << 20
    }

    /// Take in an upload.
    ///
    /// # Errors
    /// [`EngineFault`]; the host goes on as before.
    pub async fn upload(&self, ctx: &Ctx, body: Body) -> Result<Installed, EngineFault> {
        ctx.require("engines:install")?;
        let (path, file) = self.0.files.incoming()?;
        let received = self.receive(file, body).await;
        let result = match received {
            Ok(()) => self.take(ctx, &path, None).await,
            Err(fault) => Err(fault),
        };
        let _ = tokio::fs::remove_file(&path).await;
        if let Err(fault @ (EngineFault::Refused(_) | EngineFault::Downgrade { .. })) = &result {
            self.refuse("(upload)", fault);
        }
        result
    }

    /// Take in a private file of the store's file system that was listed as an engine's version. It is moved away
    /// once it is verified; else the caller removes it.
    ///
    /// # Errors
    /// [`EngineFault`]; the host goes on as before.
    pub(crate) async fn take_listed(
        &self,
        ctx: &Ctx,
        path: &Path,
        listed: Listed<'_>,
    ) -> Result<Installed, EngineFault> {
        ctx.require("engines:install")?;
        let result = self.take(ctx, path, Some(listed)).await;
        if let Err(fault @ (EngineFault::Refused(_) | EngineFault::Downgrade { .. })) = &result {
            self.refuse("(marketplace)", fault);
        }
        result
    }

    /// Where packages are put together that come from the portal.
    pub(crate) fn downloads_folder(&self) -> &Path {
        &self.0.files.downloads
    }

    /// Largest package, in bytes.
    pub(crate) fn largest_package(&self) -> u64 {
        self.limit()
    }

    /// The time by which certificates of a new package are judged.
    pub(super) fn admission_time(&self) -> chrono::DateTime<chrono::Utc> {
        self.app().map_or_else(|| self.0.core.clock.now(), |a| a.license.effective_now())
    }

    pub(super) async fn receive(&self, file: std::fs::File, body: Body) -> Result<(), EngineFault> {
        let mut file = tokio::fs::File::from_std(file);
        let mut left = self.limit();
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece =
                piece.map_err(|e| EngineFault::Invalid("body", format!("The upload broke off: {e}.")))?;
            let size = piece.len() as u64;
            left = left
                .checked_sub(size)
                .ok_or(EngineFault::TooLarge(self.0.core.config.engines.max_package_mib))?;
            file.write_all(&piece).await?;
        }
        file.sync_all().await?;
        Ok(())
    }

    /// Take in a file of the drop-in folder; the store keeps it, the folder loses it.
    pub(super) async fn drop_in(&self, path: &Path) -> Result<Installed, EngineFault> {
        let (files, from, limit) = (self.0.files.clone(), path.to_owned(), self.limit());
        let copied = tokio::task::spawn_blocking(move || files.take_in(&from, limit)).await;
        let copied = copied.map_err(|e| EngineFault::Failed(e.to_string()))??;
        let copy = copied.ok_or(EngineFault::TooLarge(self.0.core.config.engines.max_package_mib))?;
        let result = self.take(&Ctx::system("drop-in"), &copy, None).await;
        let _ = tokio::fs::remove_file(&copy).await;
        if result.is_ok() {
            tokio::fs::remove_file(path).await?;
        }
        result
    }

    /// Verify, store and bring up a private file.
    async fn take(
        &self,
        ctx: &Ctx,
        path: &Path,
        listed: Option<Listed<'_>>,
    ) -> Result<Installed, EngineFault> {
        let _installing = self.0.installing.lock().await;
        let package = self.verify(path, self.admission_time()).await?;
        let is = package.manifest();
        if let Some(listed) = listed
            && (is.id != listed.engine || is.version != *listed.version)
        {
            return Err(EngineFault::OtherThanListed {
                listed: format!("{} {}", listed.engine, listed.version),
                found: format!("{} {}", is.id, is.version),
            });
        }
        listed.into_iter().for_each(|listed| (listed.verified)());
        let entry = self.admit(ctx, &package, path).await?;
        let _ops = entry.ops.lock().await;
        let note = self.bring_in(&entry, package.clone()).await.err().map(|e| e.to_string());
        let manifest = package.manifest();
        Ok(Installed {
            id: entry.id.clone(),
            version: manifest.version.to_string(),
            sha256: package.digest().to_string(),
            state: self.entry_state(&entry).name().into(),
            note: note.or_else(|| entry.row().failure),
        })
    }

    /// Check a verified package against what was here before, and store it.
    async fn admit(
        &self,
        ctx: &Ctx,
        package: &Verified<Package>,
        path: &Path,
    ) -> Result<Arc<Entry>, EngineFault> {
        let manifest = package.manifest();
        let (id, name) = (manifest.id.as_str(), manifest.version.to_string());
        let db = &self.0.core.db;
        let row = store::engine(db.read(), id).await?;
        let highest = row.as_ref().and_then(|r| Version::parse(&r.highest).ok());
        if let Some(highest) = highest.as_ref().filter(|h| manifest.version < **h) {
            let (engine, highest) = (id.to_owned(), highest.to_string());
            return Err(EngineFault::Downgrade { engine, found: name, highest });
        }
        let digest = package.digest().to_string();
        if let Some(known) = store::version(db.read(), id, &name).await?
            && known.sha256 != digest
        {
            return Err(EngineFault::VersionReused { engine: id.into(), version: name });
        }
        let size = self.0.files.keep(path, id, &name)?;
        let now = self.0.core.clock.now();
        let signer = package.signer();
        let stored = version::Model {
            engine: id.into(),
            version: name.clone(),
            sha256: digest,
            size: size.try_into().unwrap_or(i64::MAX),
            publisher: signer.subject.clone(),
            realm: signer.realm.to_string(),
            bad: None,
            admitted_at: self.app().map_or(now, |a| a.license.effective_now()),
        };
        let tx = db.begin().await?;
        store::insert_version(&tx, stored).await?;
        let fresh = engine::Model {
            id: id.into(),
            enabled: true,
            mode: None,
            current: None,
            previous: None,
            highest: name.clone(),
            failure: None,
            exported_at: None,
            installed_at: now,
        };
        let row = match row {
            None => {
                store::insert_engine(&tx, fresh.clone()).await?;
                fresh
            }
            Some(row) => {
                // Installing again after an uninstall switches it on; a switched-off engine stays off.
                let enabled = row.enabled || row.current.is_none();
                let row = engine::Model { highest: name.clone(), enabled, ..row };
                store::update_engine(&tx, row.clone()).await?;
                row
            }
        };
        self.default_grants(&tx, package, ctx).await?;
        tx.commit().await?;
        let data =
            json!({"version": name, "publisher": signer.subject, "sha256": package.digest().to_string()});
        let entry = self.remember(row);
        self.tell(ctx, "engine.installed", id, data).await;
        Ok(entry)
    }

    fn remember(&self, row: engine::Model) -> Arc<Entry> {
        let mut entries = self.0.entries.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let entry = entries.entry(row.id.clone()).or_insert_with(|| Arc::new(Entry::new(row.clone())));
        entry.set_row(row);
        entry.clone()
    }

    /// What the vendor's engines ask for they get when somebody with the right to install brings them in. A third
    /// party's engine starts with nothing: an administrator decides. Decisions made before stay.
    async fn default_grants(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        package: &Verified<Package>,
        ctx: &Ctx,
    ) -> Result<(), EngineFault> {
        let manifest = package.manifest();
        let vendor = package.signer().realm.is_vendor();
        let decided = store::grants(db, &manifest.id).await?;
        let now = self.0.core.clock.now();
        for capability in manifest.capabilities.uses.iter().filter(|c| !decided.contains_key(c.name())) {
            store::set_grant(db, &manifest.id, *capability, vendor, &ctx.actor.to_string(), now).await?;
        }
        Ok(())
    }

    /// Make a stored version the current one, when the licence and the switch let it run.
    async fn bring_in(&self, entry: &Arc<Entry>, package: Arc<Verified<Package>>) -> Result<(), EngineFault> {
        let manifest = package.manifest();
        let decision = self.decision(Some(manifest));
        if entry.live().is_some() {
            if !decision.may_write() && self.entry_decision(entry).may_write() {
                let why = format!(
                    "Version {} is stored; the licence does not cover it ({}), so {} goes on.",
                    manifest.version,
                    decision.code(),
                    entry.row().current.unwrap_or_default()
                );
                let row = engine::Model { failure: Some(why.clone()), ..entry.row() };
                self.keep(entry, row).await?;
                return Err(EngineFault::Failed(why));
            }
            let same = entry.live().is_some_and(|l| l.package.digest() == package.digest());
            return if same { Ok(()) } else { self.upgrade(entry, package).await };
        }
        let mut row = entry.row();
        let name = manifest.version.to_string();
        if row.current.as_ref() != Some(&name) {
            row.previous = row.current.replace(name);
        }
        row.failure = None;
        self.keep(entry, row).await?;
        entry.set_manifest(Some(Arc::new(manifest.clone())));
        entry.set_phase(Phase::Idle);
        self.settle(entry).await;
        self.others_that_waited(&entry.id).await;
        Ok(())
    }

    /// Start engines that waited for this one.
    async fn others_that_waited(&self, id: &str) {
        for other in self.entries() {
            if other.id != id && matches!(other.phase(), Phase::Incompatible(_)) {
                let _ops = other.ops.lock().await;
                Box::pin(self.settle(&other)).await;
            }
        }
    }

    /// Go back to an earlier version on purpose: the one before, or `version`. Lowers the floor.
    ///
    /// # Errors
    /// [`EngineFault::NothingToRollBack`], [`EngineFault::NoVersion`], or why that version does not come up.
    pub async fn rollback(&self, ctx: &Ctx, id: &str, version: Option<&str>) -> Result<(), EngineFault> {
        ctx.require("engines:install")?;
        let entry = self.known(id)?;
        let _ops = entry.ops.lock().await;
        let row = entry.row();
        let wanted = version.map(str::to_owned).or(row.previous.clone());
        let wanted = wanted.ok_or_else(|| EngineFault::NothingToRollBack(id.into()))?;
        let package = self.open(id, &wanted).await?;
        store::mark_version(self.0.core.db.write(), id, &wanted, None).await?;
        let lowered = engine::Model { highest: wanted.clone(), ..row.clone() };
        self.keep(&entry, lowered).await?;
        self.tell(ctx, "engine.rolled_back", id, json!({"from": row.current, "to": wanted})).await;
        if entry.live().is_some() {
            return self.upgrade(&entry, package).await;
        }
        let row =
            engine::Model { current: Some(wanted), previous: row.current, failure: None, ..entry.row() };
        self.keep(&entry, row).await?;
        entry.set_manifest(Some(Arc::new(package.manifest().clone())));
        entry.set_phase(Phase::Idle);
        self.settle(&entry).await;
        Ok(())
    }
}
