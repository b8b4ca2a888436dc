//! Downloads: a release is fetched into the engine store piece by piece, goes on where it broke off, and is then taken in
//! as an upload would be. Whatever fails leaves the version in use serving.

use std::{
    path::Path,
    sync::PoisonError,
    time::{Duration, Instant},
};

use semver::Version;
use serde_json::json;
use uuid::Uuid;

use super::{
    Asking, DownloadState as State, Marketplace, MarketplaceError, Release, SourceError, bundle,
    entity::download,
    model::{MarketDownload, MarketDownloadList, MarketEngineDetail, MarketVersion, MarketplaceProblem},
    offers, service, store,
};
use crate::{
    app::App,
    audit::{Change, Outcome},
    ctx::Ctx,
    engines::Listed,
    events::NewEvent,
};

/// Downloads that run or wait.
const MOST: usize = 20;
/// Tries in a row that bring no byte.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(250);

impl Marketplace {
    /// Downloads, newest first.
    ///
    /// # Errors
    /// [`MarketplaceError::Forbidden`].
    pub async fn downloads(&self, ctx: &Ctx) -> Result<MarketDownloadList, MarketplaceError> {
        ctx.require("engines:read")?;
        let rows = store::downloads(self.0.core.db.read()).await?;
        let received = self.0.received.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let items = rows.into_iter().map(MarketDownload::from).map(|mut d| {
            d.received = received.get(&d.id).copied().unwrap_or(d.received);
            d
        });
        Ok(MarketDownloadList { items: items.collect() })
    }

    /// Download and install an engine: this version, or the newest that suits.
    ///
    /// # Errors
    /// Why it is not even begun: not listed, not licensed, not compatible, older than what is here.
    pub async fn install(
        &self,
        ctx: &Ctx,
        id: &str,
        version: Option<&str>,
    ) -> Result<MarketDownload, MarketplaceError> {
        ctx.require("engines:install")?;
        self.begin_download(ctx, id, version, false).await
    }

    pub(super) async fn begin_download(
        &self,
        ctx: &Ctx,
        id: &str,
        version: Option<&str>,
        automatic: bool,
    ) -> Result<MarketDownload, MarketplaceError> {
        let _deciding = self.0.deciding.lock().await;
        self.source()?;
        let offered = self.offers().await?.into_iter().find(|o| o.engine.id == id);
        let offered = offered.ok_or_else(|| MarketplaceError::UnknownEngine(id.into()))?;
        let release = self.choose(&offered, version).await?;
        let open: Vec<_> = store::downloads(self.0.core.db.read()).await?;
        let open: Vec<_> = open.into_iter().filter(|d| !State::named(&d.state).ended()).collect();
        if let Some(running) = open.iter().find(|d| d.engine == id) {
            return match running.sha256 == release.sha256 {
                true => Ok(running.clone().into()),
                false => Err(MarketplaceError::Busy(id.into(), running.version.clone())),
            };
        }
        if open.len() >= MOST {
            return Err(MarketplaceError::TooMany(MOST));
        }
        let row = self.new_row(ctx, &release, automatic);
        let tx = self.0.core.db.begin().await?;
        store::insert_download(&tx, row.clone()).await?;
        store::trim_downloads(&tx).await?;
        let told = json!({"version": row.version, "sha256": row.sha256, "automatic": automatic});
        let change = Change::new("marketplace.install_requested", "engine", id).after(told);
        self.0.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.tell(&row);
        self.spawn(ctx.clone(), row.clone(), release);
        Ok(row.into())
    }

    fn new_row(&self, ctx: &Ctx, release: &Release, automatic: bool) -> download::Model {
        let now = self.0.core.clock.now();
        download::Model {
            id: Uuid::now_v7(),
            engine: release.engine.clone(),
            version: release.version.to_string(),
            target: release.path.clone(),
            sha256: release.sha256.clone(),
            size: release.size.try_into().unwrap_or(i64::MAX),
            received: 0,
            state: State::Downloading.name().into(),
            error: None,
            actor_name: ctx.actor_name.clone(),
            automatic,
            created_at: now,
            updated_at: now,
        }
    }

    /// The build to download: of the version that is asked for, or of the newest that suits.
    async fn choose(
        &self,
        offered: &MarketEngineDetail,
        version: Option<&str>,
    ) -> Result<Release, MarketplaceError> {
        let engine = offered.engine.id.clone();
        let chosen = match version {
            Some(version) => {
                let found = offered.versions.iter().find(|v| v.version == version);
                found.ok_or_else(|| MarketplaceError::UnknownVersion(engine.clone(), version.into()))?
            }
            None => self.newest_that_suits(offered)?,
        };
        let version = chosen.version.clone();
        if !chosen.compatible.ok {
            let why = chosen.compatible.why.clone().unwrap_or_default();
            return Err(MarketplaceError::Incompatible { engine, version, why });
        }
        if !offers::may_run(&chosen.entitled) {
            let (reason, unlocks) =
                (chosen.entitled.reason.clone(), chosen.entitled.unlocks.clone().unwrap_or_default());
            return Err(MarketplaceError::LicenseRequired { engine, version, reason, unlocks });
        }
        if offered.engine.installed.as_ref() == Some(&version) {
            return Err(MarketplaceError::InUse(engine, version));
        }
        let release = self.release(&engine, &version)?;
        let stored = self.app()?.engines.stored().await?;
        match stored.get(&engine).filter(|s| release.version < s.highest) {
            Some(stored) => {
                Err(MarketplaceError::Downgrade { engine, version, highest: stored.highest.to_string() })
            }
            None => Ok(release),
        }
    }

    fn newest_that_suits<'a>(
        &self,
        offered: &'a MarketEngineDetail,
    ) -> Result<&'a MarketVersion, MarketplaceError> {
        let channel = self.policy().channel;
        let mut of_channel = offered.versions.iter().filter(|v| channel.takes(v.channel));
        let suits = |v: &&MarketVersion| {
            v.compatible.ok && offers::may_run(&v.entitled) && v.advisories.is_empty() && v.bad.is_none()
        };
        let newest = of_channel.clone().next();
        if let Some(found) = of_channel.find(suits) {
            return Ok(found);
        }
        // What keeps the newest away is told by what is asked of every version; the rest is told here.
        let engine = offered.engine.id.clone();
        match newest {
            None => Err(MarketplaceError::NoneSuits { engine, why: "the channel has none of it.".into() }),
            Some(newest) if newest.compatible.ok && offers::may_run(&newest.entitled) => {
                let why = match &newest.bad {
                    Some(bad) => format!("{} was tried here and did not stay: {bad}.", newest.version),
                    None => {
                        format!("{} is advised against ({}).", newest.version, newest.advisories.join(", "))
                    }
                };
                Err(MarketplaceError::NoneSuits { engine, why })
            }
            Some(newest) => Ok(newest),
        }
    }

    /// The build for this system.
    fn release(&self, engine: &str, version: &str) -> Result<Release, MarketplaceError> {
        let seen = self.seen();
        let here = |r: &&Release| r.engine == engine && r.target == plugin_runtime::TARGET;
        let found = seen.catalogue.releases.iter().filter(here).find(|r| r.version.to_string() == version);
        found.cloned().ok_or_else(|| MarketplaceError::UnknownVersion(engine.into(), version.into()))
    }

    /// Go on with the downloads that a stop of the host broke off.
    pub(super) async fn resume(&self) -> anyhow::Result<()> {
        let app = self.app()?;
        let rows = store::downloads(self.0.core.db.read()).await?;
        let open: Vec<_> = rows.into_iter().filter(|d| !State::named(&d.state).ended()).collect();
        let folder = app.engines.downloads_folder().to_owned();
        for left in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = left.file_name().to_string_lossy().into_owned();
            if !open.iter().any(|d| d.id.to_string() == name) {
                let _ = std::fs::remove_file(left.path());
            }
        }
        let stored = app.engines.stored().await?;
        for row in open {
            let version = row.version.parse::<Version>().ok();
            if version.is_some() && stored.get(&row.engine).and_then(|s| s.current.clone()) == version {
                self.end(row, Ok(())).await;
                continue;
            }
            match self.release(&row.engine, &row.version).ok().filter(|r| r.sha256 == row.sha256) {
                Some(release) => self.spawn(Ctx::job("marketplace"), row, release),
                None => {
                    let gone = "The portal no longer lists what was being downloaded when the host stopped.";
                    self.end(row, Err(SourceError::new("no_longer_listed", gone))).await;
                }
            }
        }
        Ok(())
    }

    fn spawn(&self, ctx: Ctx, row: download::Model, release: Release) {
        let (marketplace, stop) = (self.clone(), self.0.core.shutdown.clone());
        self.0.core.tasks.spawn(async move {
            let run = marketplace.run(&ctx, row, release);
            tokio::select! {
                // It goes on when the host starts again.
                () = stop.cancelled() => {}
                () = run => {}
            }
        });
    }

    async fn run(&self, ctx: &Ctx, row: download::Model, release: Release) {
        let Ok(_turn) = self.0.at_once.acquire().await else { return };
        let Ok(app) = self.app() else { return };
        let file = app.engines.downloads_folder().join(row.id.to_string());
        let fetched = self.fetch(&row, &release, &file).await;
        let result = match fetched {
            Ok(()) => self.take(ctx, &row, &release, &file).await,
            Err(error) => Err(error),
        };
        let _ = tokio::fs::remove_file(&file).await;
        self.end(row, result).await;
    }

    /// Fetch the whole file; what passes is tried again for as long as bytes come.
    async fn fetch(&self, row: &download::Model, release: &Release, file: &Path) -> Result<(), SourceError> {
        let app = self.app().map_err(|e| SourceError::new("stopping", e.to_string()))?;
        if release.size > app.engines.largest_package() {
            let why = "The package is larger than engines.max_package_mib allows.";
            return Err(SourceError::new("body_too_large", why));
        }
        let (mut tries, mut pause, mut reached) = (0, FIRST_PAUSE, 0);
        loop {
            let Err(error) = self.attempt(&app, row, release, file).await else { return Ok(()) };
            let now = self.received(row.id);
            if now > reached {
                (tries, pause, reached) = (0, FIRST_PAUSE, now);
            }
            tries += 1;
            if !error.passing || tries >= TRIES {
                return Err(error);
            }
            tracing::info!(engine.id = %row.engine, %error, tries, "a download waits and goes on");
            let waiting = download::Model { error: self.told(&error), ..row.clone() };
            self.keep(waiting).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.keep(row.clone()).await;
        }
    }

    async fn attempt(
        &self,
        app: &App,
        row: &download::Model,
        release: &Release,
        file: &Path,
    ) -> Result<(), SourceError> {
        let told = std::sync::Mutex::new(None);
        let progress = |received: u64| self.progress(row, received, &told);
        let license = app.license.token_for(service::build_of(release).as_ref());
        let source = self.source().map_err(|e| SourceError::passing("not_configured", e.to_string()))?;
        let asking = Asking { license: license.as_deref(), now: app.license.effective_now() };
        source.save(release, asking, file, &progress).await
    }

    fn progress(&self, row: &download::Model, received: u64, told: &std::sync::Mutex<Option<Instant>>) {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).insert(row.id, received);
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            *told = Some(Instant::now());
            self.tell(row);
        }
    }

    fn received(&self, id: Uuid) -> u64 {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied().unwrap_or(0)
    }

    /// Verify and bring up, as an upload.
    async fn take(
        &self,
        ctx: &Ctx,
        row: &download::Model,
        release: &Release,
        file: &Path,
    ) -> Result<(), SourceError> {
        let app = self.app().map_err(|e| SourceError::new("stopping", e.to_string()))?;
        let at = |state: State| download::Model { state: state.name().into(), error: None, ..row.clone() };
        self.keep(at(State::Verifying)).await;
        let (marketplace, installing) = (self.clone(), at(State::Installing));
        let verified = move || {
            let (marketplace, row) = (marketplace.clone(), installing.clone());
            marketplace.tell(&row);
            let tasks = marketplace.0.core.tasks.clone();
            drop(tasks.spawn(async move { marketplace.note_installing(row).await }));
        };
        let listed = Listed { engine: &release.engine, version: &release.version, verified: &verified };
        let installed = app.engines.take_listed(ctx, file, listed).await.map_err(bundle::told)?;
        match installed.note {
            Some(note) => Err(SourceError::new("not_in_use", note)),
            None => Ok(()),
        }
    }

    /// Note that a package was verified, unless the download has ended meanwhile.
    async fn note_installing(&self, row: download::Model) {
        if let Err(error) = store::advance_download(self.0.core.db.write(), row.id, &row.state).await {
            tracing::warn!(%error, "the state of a download was not kept");
        }
    }

    async fn keep(&self, mut row: download::Model) {
        row.received =
            self.received(row.id).max(row.received.try_into().unwrap_or(0)).try_into().unwrap_or(i64::MAX);
        row.updated_at = self.0.core.clock.now();
        self.tell(&row);
        if let Err(error) = store::update_download(self.0.core.db.write(), row).await {
            tracing::warn!(%error, "the state of a download was not kept");
        }
    }

    fn told(&self, error: &SourceError) -> Option<serde_json::Value> {
        let problem: MarketplaceProblem = self.problem(error);
        serde_json::to_value(problem).ok()
    }

    async fn end(&self, row: download::Model, result: Result<(), SourceError>) {
        let (state, error) = match &result {
            Ok(()) => (State::Done, None),
            Err(error) => (State::Failed, self.told(error)),
        };
        metrics::counter!("sysmanage_marketplace_downloads_total", "state" => state.name()).increment(1);
        let received = if result.is_ok() { row.size } else { row.received };
        let row = download::Model { state: state.name().into(), error, received, ..row };
        self.keep(row.clone()).await;
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).remove(&row.id);
        if let Err(error) = result {
            tracing::warn!(engine.id = %row.engine, engine.version = %row.version, code = %error.code, %error, "a download was given up");
            let told = json!({"version": row.version, "code": error.code, "reason": error.detail});
            let change = Change::new("marketplace.install_failed", "engine", &row.engine)
                .after(told)
                .outcome(Outcome::Failed);
            if let Err(error) = self.0.core.audit.record(&Ctx::job("marketplace"), change).await {
                tracing::warn!(%error, "an audit entry was not written");
            }
        }
    }

    fn tell(&self, row: &download::Model) {
        let received = self.received(row.id).max(row.received.try_into().unwrap_or(0));
        let data = json!({"id": row.id, "engine": row.engine, "version": row.version, "state": row.state,
            "received": received, "size": row.size, "error": row.error});
        self.0.core.events.publish(NewEvent::new("marketplace.progress", "engines:read", data));
    }
}
