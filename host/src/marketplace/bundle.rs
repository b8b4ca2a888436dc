//! Air-gap bundles: the catalogue, engines, licences and the revocation list in one file, taken in by the code that takes
//! them from the portal.

use std::{collections::BTreeMap, path::Path};

use axum::body::Body;
use chrono::TimeDelta;
use distribution::{Client, DistributionError, Limits, Repository, bundle::Bundle};
use futures_util::StreamExt;
use semver::Version;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::{
    Marketplace, MarketplaceError, Release, SourceError,
    catalogue::{self, SaveError},
    model::{MarketEngineDetail, MarketImport, MarketImported, MarketVersion},
    offers,
    service::DATASTORE,
};
use crate::{
    app::App,
    ctx::Ctx,
    engines::{EngineFault, Listed},
    problem::SliceError,
};

/// How old a bundle may be: who carries it is not as quick as a network. What a newer one said is never taken back.
const PATIENCE: TimeDelta = TimeDelta::days(90);

impl Marketplace {
    /// Take in a bundle that is uploaded.
    ///
    /// # Errors
    /// [`MarketplaceError::Source`]: it is refused, and nothing was taken in.
    pub async fn import(&self, ctx: &Ctx, body: Body) -> Result<MarketImport, MarketplaceError> {
        ctx.require("engines:install")?;
        let path = self.app()?.engines.downloads_folder().join(format!("bundle-{}", Uuid::now_v7()));
        let imported = match self.receive(&path, body).await {
            Ok(()) => self.import_file(ctx, &path).await,
            Err(error) => Err(error.into()),
        };
        let _ = tokio::fs::remove_file(&path).await;
        imported
    }

    async fn receive(&self, path: &Path, body: Body) -> Result<(), SourceError> {
        let most = self.0.core.config.marketplace.max_bundle_mib;
        let mut left = u64::from(most) << 20;
        let mut options = tokio::fs::OpenOptions::new();
        let disk = |e: std::io::Error| SourceError::disk(&e);
        let mut file = options.write(true).create_new(true).mode(0o600).open(path).await.map_err(disk)?;
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|e| refused("broken_off", format!("The upload broke off: {e}.")))?;
            let too_large = || {
                let why = format!("The bundle is larger than {most} MiB (marketplace.max_bundle_mib).");
                refused("too_large", why)
            };
            left = left.checked_sub(piece.len() as u64).ok_or_else(too_large)?;
            file.write_all(&piece).await.map_err(disk)?;
        }
        file.flush().await.map_err(disk)
    }

    /// Take in a bundle in a file. Whoever may change the file meanwhile changes nothing: every part is verified as it is
    /// read.
    pub(crate) async fn import_file(&self, ctx: &Ctx, path: &Path) -> Result<MarketImport, MarketplaceError> {
        ctx.require("engines:install")?;
        let app = self.app()?;
        let bundle = distribution::bundle::open(path, &Limits::default()).await.map_err(not_believed)?;
        if !bundle.licenses().is_empty() {
            ctx.require("license:manage")?;
        }
        let _looking = self.0.looking.lock().await;
        let repository = self.verified(&app, &bundle).await?;
        let catalogue = catalogue::catalogue(&repository, &bundle).await.map_err(not_believed)?;
        let before = app.license.trust().revocations().to_text();
        self.take_catalogue(ctx, catalogue).await?;
        let mut brought = MarketImport {
            revocations: app.license.trust().revocations().to_text() != before,
            ..MarketImport::default()
        };
        for token in bundle.licenses() {
            match app.license.take_edition(ctx, token).await {
                Ok(new) => brought.license |= new,
                Err(error) => {
                    let code = SliceError::code(&error);
                    let told = SourceError::new(code, error.to_string());
                    brought.license_problem = Some(self.problem(&told));
                }
            }
        }
        for offered in self.offers().await? {
            brought.engines.extend(self.bring(ctx, &app, &bundle, &repository, &offered).await?);
        }
        Ok(brought)
    }

    async fn verified(&self, app: &App, bundle: &Bundle) -> Result<Repository, MarketplaceError> {
        let root = self.0.root.clone().ok_or_else(|| {
            refused("no_root", "This build knows no root of a catalogue: set marketplace.root_file.".into())
        })?;
        let datastore = self.0.core.data_dir.join(DATASTORE);
        let client = Client::new(root, datastore, app.license.effective_now()).with_patience(PATIENCE);
        Ok(client.refresh(bundle).await.map_err(not_believed)?)
    }

    /// Take in the newest version of an engine that the bundle holds, when it is newer than what is here.
    async fn bring(
        &self,
        ctx: &Ctx,
        app: &App,
        bundle: &Bundle,
        repository: &Repository,
        offered: &MarketEngineDetail,
    ) -> Result<Option<MarketImported>, MarketplaceError> {
        let seen = self.seen();
        let id = &offered.engine.id;
        let here = |r: &&Release| r.engine == *id && r.target == plugin_runtime::TARGET;
        let held: BTreeMap<&Version, &Release> = seen
            .catalogue
            .releases
            .iter()
            .filter(here)
            .filter(|r| bundle.holds(&r.sha256))
            .map(|r| (&r.version, r))
            .collect();
        let Some((version, release)) = held.into_iter().next_back() else { return Ok(None) };
        let judged = offered.versions.iter().find(|v| v.version == version.to_string());
        let state = |app: &App| app.engines.state(id).map(|s| s.name().to_owned());
        let told = |state, problem: Option<SourceError>| MarketImported {
            engine: id.clone(),
            version: version.to_string(),
            state,
            problem: problem.map(|p| self.problem(&p)),
        };
        let stored = app.engines.stored().await?.remove(id);
        let (current, highest) = stored.map_or((None, None), |s| (s.current, Some(s.highest)));
        if current.as_ref() == Some(version) || highest.is_some_and(|h| *version < h) {
            return Ok(Some(told(state(app), None)));
        }
        if let Some(against) = judged.and_then(against) {
            return Ok(Some(told(state(app), Some(against))));
        }
        let path = app.engines.downloads_folder().join(format!("bundle-{}", Uuid::now_v7()));
        let taken = self.take_from(ctx, app, (repository, bundle), release, &path).await;
        let _ = tokio::fs::remove_file(&path).await;
        Ok(Some(told(state(app), taken.err())))
    }

    async fn take_from(
        &self,
        ctx: &Ctx,
        app: &App,
        (repository, bundle): (&Repository, &Bundle),
        release: &Release,
        path: &Path,
    ) -> Result<(), SourceError> {
        if release.size > app.engines.largest_package() {
            let why = "The package is larger than engines.max_package_mib allows.";
            return Err(SourceError::new("body_too_large", why));
        }
        catalogue::save(repository, bundle, release, path, &|_| {}).await.map_err(|e| match e {
            SaveError::Other => SourceError::new("changed", "The bundle's catalogue changed meanwhile."),
            SaveError::Disk(e) => SourceError::disk(&e),
            SaveError::Refused(e) => catalogue::plain(&e),
        })?;
        let listed = Listed { engine: &release.engine, version: &release.version, verified: &|| {} };
        let installed = app.engines.take_listed(ctx, path, listed).await.map_err(told)?;
        installed.note.map_or(Ok(()), |note| Err(SourceError::new("not_in_use", note)))
    }

    /// Take in a bundle of the drop-in folder.
    pub(crate) async fn import_dropped(&self, path: &Path) -> Result<MarketImport, MarketplaceError> {
        self.import_file(&Ctx::system("drop-in"), path).await
    }
}

/// What the engines slice said.
pub(super) fn told(fault: EngineFault) -> SourceError {
    SourceError {
        code: SliceError::code(&fault).into(),
        reason: Some(fault.reason().into()),
        detail: fault.to_string(),
        passing: false,
    }
}

/// What keeps a version from being taken in.
fn against(version: &MarketVersion) -> Option<SourceError> {
    if !version.compatible.ok {
        return Some(SourceError::new("incompatible", version.compatible.why.clone().unwrap_or_default()));
    }
    if offers::may_run(&version.entitled) {
        return None;
    }
    let unlocks = version.entitled.unlocks.clone().unwrap_or_default();
    let reason = Some(version.entitled.reason.clone());
    Some(SourceError { reason, ..SourceError::new("license_required", unlocks) })
}

fn refused(reason: &str, detail: String) -> SourceError {
    SourceError { reason: Some(reason.into()), ..SourceError::new("bundle_refused", detail) }
}

fn not_believed(error: DistributionError) -> SourceError {
    match catalogue::plain(&error) {
        disk @ SourceError { .. } if matches!(disk.code.as_str(), "disk_full" | "store_failed") => disk,
        _ => refused(error.code(), error.to_string()),
    }
}
