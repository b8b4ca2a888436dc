//! Loads, swaps and stops versions. Callers hold the entry's `ops`.
//!
//! A version comes up in this order: licence, dependencies, start, migrations, self-test, swap. Whatever fails before
//! the swap leaves the version before it serving. After the swap the old version waits, loaded, through the health
//! window; when the new one fails it, the old one is swapped back. Migrations only expand, so the old version works
//! with tables that a newer one has already changed; they are never undone.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use plugin_api::{
    description::MigrationScript,
    error::{decode, encode},
    services::host_calls::{self, Health, Migrations},
};
use plugin_runtime::{
    EngineInstance, InProcessOptions, InstanceState, IsolatedOptions, Mode, Package, Policy, Side, Verified,
    start_in_process, start_isolated,
};
use plugin_sql::EngineSql;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    EngineFault,
    live::{Entry, Live},
    openapi::Routes,
    service::Engines,
    services::Host,
    state::Phase,
    store, subscriptions,
};
use crate::{ctx::Ctx, permissions::Permission};

const START: Duration = Duration::from_secs(30);
const CALL: Duration = Duration::from_secs(30);
const MIGRATIONS: Duration = Duration::from_secs(60);
/// How long calls of an old version may go on.
const DRAIN: Duration = Duration::from_secs(30);
/// How long a new version is watched before the old one goes.
const HEALTH_WINDOW: Duration = Duration::from_secs(10);
const HEALTH_LOOK: Duration = Duration::from_millis(500);

impl Engines {
    /// Bring an engine to where switch, licence and package want it. Never fails: what goes wrong is its state.
    pub(super) async fn settle(&self, entry: &Arc<Entry>) {
        let (row, phase) = (entry.row(), entry.phase());
        let decision = self.entry_decision(entry);
        let wanted = row.enabled && row.current.is_some() && decision.may_read();
        let broken = matches!(entry.phase(), Phase::Refused { .. });
        let changed = entry.differs(&decision);
        if changed {
            let data = json!({"entitlement": decision.entitlement.state(), "reason": decision.code()});
            self.publish("license.engine_changed", &entry.id, data);
        }
        match (wanted && !broken, entry.live()) {
            (true, Some(live)) if changed => {
                let told = live.instance.call(host_calls::LICENSE_CHANGED, Vec::new(), CALL).await;
                if let Err(error) = told {
                    tracing::debug!(engine.id = %entry.id, %error, "the engine did not take the change of licence");
                }
            }
            (true, None) if matches!(entry.phase(), Phase::Idle | Phase::Incompatible(_)) => {
                if let Err(fault) = self.start_current(entry).await {
                    tracing::error!(engine.id = %entry.id, reason = %fault, "an engine did not start");
                    self.publish("engine.failed", &entry.id, json!({"reason": fault.to_string()}));
                }
            }
            (false, Some(_)) => {
                let phase = entry.phase();
                self.stop(entry).await;
                entry.set_phase(if broken { phase } else { Phase::Idle });
                self.publish("engine.stopped", &entry.id, json!({"reason": decision.code()}));
            }
            _ => {}
        }
        if changed || entry.phase() != phase {
            self.reassign();
        }
    }

    /// Tell agents what they should run now.
    pub(super) fn reassign(&self) {
        let Some(app) = self.app() else { return };
        let tasks = app.core().tasks.clone();
        tasks.spawn(async move { app.gateway.reassign_all(&app).await });
    }

    async fn start_current(&self, entry: &Arc<Entry>) -> Result<(), EngineFault> {
        let Some(version) = entry.row().current else { return Ok(()) };
        let package = match self.open(&entry.id, &version).await {
            Ok(package) => package,
            Err(fault) => {
                entry.set_phase(Phase::Refused { code: fault.reason().into(), reason: fault.to_string() });
                return Err(fault);
            }
        };
        entry.set_manifest(Some(Arc::new(package.manifest().clone())));
        // Only now is it known what the licence must name. Without it no code runs and no table changes.
        if !self.entry_decision(entry).may_read() {
            entry.set_phase(Phase::Idle);
            return Ok(());
        }
        match self.bring_up(entry, package).await {
            Ok(live) => {
                self.go_live(entry, live).await;
                Ok(())
            }
            Err((phase, fault)) => {
                entry.set_phase(phase);
                Err(fault)
            }
        }
    }

    /// Verify a stored package as of its admission; revocations count as of now.
    pub(super) async fn open(&self, id: &str, version: &str) -> Result<Arc<Verified<Package>>, EngineFault> {
        let row = store::version(self.0.core.db.read(), id, version).await?;
        let row = row.ok_or_else(|| EngineFault::NoVersion(id.into(), version.into()))?;
        let package = self.verify(&self.0.files.package(id, version), row.admitted_at).await?;
        if package.manifest().id != id || package.digest().to_string() != row.sha256 {
            return Err(EngineFault::VersionReused { engine: id.into(), version: version.into() });
        }
        Ok(package)
    }

    /// Verify a file.
    pub(super) async fn verify(
        &self,
        path: &Path,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Result<Arc<Verified<Package>>, EngineFault> {
        let Some(app) = self.app() else { return Err(EngineFault::Failed("The host is stopping.".into())) };
        let (trust, path) = (app.license.trust(), path.to_owned());
        let version =
            semver::Version::parse(env!("CARGO_PKG_VERSION")).expect("a crate's version is a version");
        let verified = tokio::task::spawn_blocking(move || {
            Package::verify_file(&path, &Policy::new(&trust, at, Side::Host(version)))
        });
        let verified = verified.await.map_err(|e| EngineFault::Failed(e.to_string()))?;
        verified.map(Arc::new).map_err(EngineFault::Refused)
    }

    /// Start a version up to its self-test. Nothing reaches it yet.
    pub(super) async fn bring_up(
        &self,
        entry: &Arc<Entry>,
        package: Arc<Verified<Package>>,
    ) -> Result<Arc<Live>, (Phase, EngineFault)> {
        let failed = |why: String| (Phase::Failed(why.clone()), EngineFault::Failed(why));
        let manifest = Arc::new(package.manifest().clone());
        if let Some(missing) = self.missing(&manifest) {
            return Err((Phase::Incompatible(missing.clone()), EngineFault::Failed(missing)));
        }
        let Some(app) = self.app() else { return Err(failed("The host is stopping.".into())) };
        let granted = self.granted(&manifest).await.map_err(|e| failed(e.to_string()))?;
        let sql = match granted.contains(&plugin_api::Capability::Sql) {
            true => Some(self.sql(&manifest).await.map_err(|e| failed(e.to_string()))?),
            false => None,
        };
        let table = Host::new(&app, entry.clone(), manifest.clone(), granted).table(sql.clone());
        let started = match self.mode(entry) {
            Mode::InProcess => {
                let options = InProcessOptions { start_deadline: START, ..InProcessOptions::default() };
                start_in_process(&package, table, options).await
            }
            Mode::Isolated => {
                let options = IsolatedOptions { start_deadline: START, ..IsolatedOptions::default() };
                start_isolated(&package, table, options).await
            }
        };
        let instance = started.map_err(|e| failed(format!("{e} ({})", e.code())))?;
        match self.prepare(&instance, sql.as_ref()).await {
            Ok(()) => {}
            Err(why) => {
                instance.shutdown(Duration::from_secs(1)).await;
                return Err(failed(why));
            }
        }
        let openapi = instance.description().openapi.clone();
        let routes = Routes::read(&openapi, &manifest.export_routes).map_err(failed)?;
        Ok(Arc::new(Live::new(package, instance, sql, routes, CancellationToken::new())))
    }

    async fn sql(&self, manifest: &plugin_api::Manifest) -> Result<EngineSql, EngineFault> {
        let views: BTreeSet<String> = manifest.capabilities.views.iter().cloned().collect();
        let others = self.entries().iter().map(|e| e.id.clone()).filter(|id| *id != manifest.id).collect();
        Ok(self.0.database.engine(&manifest.id, views, others).await?)
    }

    /// Migrations, then the self-test.
    async fn prepare(
        &self,
        instance: &Arc<dyn EngineInstance>,
        sql: Option<&EngineSql>,
    ) -> Result<(), String> {
        if let Some(sql) = sql {
            let asked = encode(&Migrations { backend: sql.backend() }).map_err(|e| e.to_string())?;
            let answer = instance.call(host_calls::MIGRATIONS, asked, MIGRATIONS).await;
            let answer = answer.map_err(|e| format!("It did not tell its migrations: {e}"))?;
            let scripts: Vec<MigrationScript> = decode(&answer).map_err(|e| e.to_string())?;
            let report = sql.migrate(&scripts, self.0.core.clock.now()).await.map_err(|e| e.to_string())?;
            if !report.applied.is_empty() {
                tracing::info!(engine.id = %instance.description().id, migrations = ?report.applied, "engine migrated");
            }
        }
        let tested = instance.call(host_calls::SELF_TEST, Vec::new(), CALL).await;
        tested.map(drop).map_err(|e| format!("It did not pass its self-test: {e}"))
    }

    /// The first dependency that is missing.
    fn missing(&self, manifest: &plugin_api::Manifest) -> Option<String> {
        manifest.depends_on.iter().filter(|d| !d.optional).find_map(|d| {
            let there = self.entry(&d.id).and_then(|e| e.manifest());
            match there {
                Some(m) if trust::version_matches(&d.version, &m.version) => None,
                Some(m) => Some(format!("It needs `{}` {}; {} is installed.", d.id, d.version, m.version)),
                None => Some(format!("It needs `{}` {}, which is not installed.", d.id, d.version)),
            }
        })
    }

    /// Put a version in place of the one before; answers that one, still running.
    async fn go_live(&self, entry: &Arc<Entry>, live: Arc<Live>) -> Option<Arc<Live>> {
        let manifest = live.manifest().clone();
        let permissions = manifest.permissions.iter().map(|p| Permission {
            name: p.name.clone(),
            description: p.description.clone(),
            engine: Some(manifest.id.clone()),
            roles: p.roles.clone(),
        });
        self.0.core.permissions.set_engine(&entry.id, permissions.collect());
        entry.set_manifest(Some(Arc::new(manifest)));
        let old = entry.swap(Some(live.clone()));
        entry.set_phase(Phase::Loaded);
        if let Some(old) = &old {
            old.stop.cancel();
        }
        subscriptions::start(&self.0.core, &live);
        self.watch(entry, &live);
        tracing::info!(engine.id = %entry.id, engine.version = %live.manifest().version, mode = ?live.instance.mode(), "engine live");
        self.publish("engine.live", &entry.id, json!({"version": live.manifest().version}));
        old
    }

    /// Notice when a version is quarantined.
    fn watch(&self, entry: &Arc<Entry>, live: &Arc<Live>) {
        let (engines, entry, live) = (self.clone(), entry.clone(), live.clone());
        let mut state = live.instance.state();
        self.0.core.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = live.stop.cancelled() => return,
                    changed = state.changed() => if changed.is_err() { return },
                }
                let now = state.borrow_and_update().clone();
                match now {
                    InstanceState::Restarting { crashes, report } => {
                        tracing::warn!(engine.id = %entry.id, crashes, report, "an engine's process died; it restarts");
                        engines.publish("engine.crashed", &entry.id, json!({"crashes": crashes, "report": report}));
                    }
                    InstanceState::Quarantined { report } => {
                        let _ops = entry.ops.lock().await;
                        if entry.live().is_some_and(|l| Arc::ptr_eq(&l, &live)) {
                            engines.stop(&entry).await;
                            entry.set_phase(Phase::Quarantined(report.clone()));
                            engines.tell(&Ctx::system("engines"), "engine.quarantined", &entry.id, json!({"report": report})).await;
                        }
                        return;
                    }
                    InstanceState::Running | InstanceState::Stopped => {}
                }
            }
        });
    }

    /// Stop what serves: nothing new reaches it, what runs may end.
    pub(super) async fn stop(&self, entry: &Arc<Entry>) {
        let Some(live) = entry.swap(None) else { return };
        entry.set_phase(Phase::Draining);
        self.retire(live).await;
        entry.set_phase(Phase::Idle);
    }

    /// End a version that is no longer in place.
    async fn retire(&self, live: Arc<Live>) {
        live.stop.cancel();
        live.handed_over(DRAIN).await;
        if let Err(error) = live.instance.call(host_calls::DRAIN, Vec::new(), DRAIN).await {
            tracing::debug!(%error, "an engine did not drain");
        }
        live.instance.shutdown(DRAIN).await;
        if let Some(sql) = &live.sql {
            sql.close();
        }
    }

    /// Load the current version again, beside the running one, without a failed call.
    pub(super) async fn reload(&self, entry: &Arc<Entry>) -> Result<(), EngineFault> {
        let Some(live) = entry.live() else {
            if matches!(entry.phase(), Phase::Failed(_) | Phase::Quarantined(_)) {
                entry.set_phase(Phase::Idle);
            }
            self.settle(entry).await;
            return Ok(());
        };
        let next = self.bring_up(entry, live.package.clone()).await.map_err(|(_, fault)| fault)?;
        if let Some(old) = self.go_live(entry, next).await {
            let engines = self.clone();
            self.0.core.tasks.spawn(async move { engines.retire(old).await });
        }
        self.reassign();
        Ok(())
    }

    /// Replace the running version by `package`, and watch it; swap back when it does not keep its health.
    pub(super) async fn upgrade(
        &self,
        entry: &Arc<Entry>,
        package: Arc<Verified<Package>>,
    ) -> Result<(), EngineFault> {
        let version = package.manifest().version.to_string();
        let next = match self.bring_up(entry, package).await {
            Ok(next) => next,
            Err((_, fault)) => {
                self.failed_upgrade(entry, &version, &fault.to_string()).await?;
                return Err(fault);
            }
        };
        let mut row = entry.row();
        row.previous = row.current.replace(version.clone());
        row.failure = None;
        self.keep(entry, row).await?;
        let old = self.go_live(entry, next.clone()).await;
        self.reassign();
        let Some(old) = old else { return Ok(()) };
        let (engines, entry) = (self.clone(), entry.clone());
        self.0.core.tasks.spawn(async move { engines.after_swap(entry, old, next).await });
        Ok(())
    }

    async fn after_swap(self, entry: Arc<Entry>, old: Arc<Live>, next: Arc<Live>) {
        let Err(why) = self.stays_healthy(&entry, &next).await else {
            self.retire(old).await;
            return;
        };
        let _ops = entry.ops.lock().await;
        if !entry.live().is_some_and(|l| Arc::ptr_eq(&l, &next)) {
            return self.retire(old).await;
        }
        tracing::error!(engine.id = %entry.id, reason = %why, "a new version failed its health window; back to the old one");
        let version = next.manifest().version.to_string();
        // The old instance lost its event queue at the swap; a fresh place for the same instance has one again.
        let openapi = old.instance.description().openapi.clone();
        let routes = Routes::read(&openapi, &old.manifest().export_routes).unwrap_or_default();
        let stop = CancellationToken::new();
        let back = Live::new(old.package.clone(), old.instance.clone(), old.sql.clone(), routes, stop);
        let mut row = entry.row();
        row.current = Some(old.manifest().version.to_string());
        row.previous = None;
        if let Err(error) = self.keep(&entry, row).await {
            tracing::error!(%error, "the version that serves could not be stored");
        }
        self.go_live(&entry, Arc::new(back)).await;
        if let Err(error) = self.failed_upgrade(&entry, &version, &why).await {
            tracing::error!(%error, "the failed version could not be noted");
        }
        self.reassign();
        self.retire(next).await;
    }

    /// Ask for health until the window ends.
    async fn stays_healthy(&self, entry: &Arc<Entry>, live: &Arc<Live>) -> Result<(), String> {
        let end = tokio::time::Instant::now() + HEALTH_WINDOW;
        let mut bad = 0;
        while tokio::time::Instant::now() < end {
            tokio::select! {
                () = tokio::time::sleep(HEALTH_LOOK) => {}
                () = self.0.core.shutdown.cancelled() => return Ok(()),
            }
            if !entry.live().is_some_and(|l| Arc::ptr_eq(&l, live)) {
                return Ok(());
            }
            match *live.instance.state().borrow() {
                InstanceState::Running | InstanceState::Stopped => {}
                _ => return Err("its process died".into()),
            }
            match health(live).await {
                Ok(()) => bad = 0,
                Err(why) => {
                    bad += 1;
                    if bad >= 3 {
                        return Err(why);
                    }
                }
            }
            let (calls, errors) = (
                live.stats.calls.load(std::sync::atomic::Ordering::Relaxed),
                live.stats.errors.load(std::sync::atomic::Ordering::Relaxed),
            );
            if calls >= 20 && errors * 2 > calls {
                return Err(format!("{errors} of {calls} calls failed"));
            }
        }
        Ok(())
    }

    async fn failed_upgrade(&self, entry: &Entry, version: &str, why: &str) -> Result<(), EngineFault> {
        store::mark_version(self.0.core.db.write(), &entry.id, version, Some(why.into())).await?;
        let mut row = entry.row();
        row.failure = Some(format!("Version {version} did not stay: {why}"));
        self.keep(entry, row).await?;
        let data = json!({"version": version, "reason": why});
        self.tell(&Ctx::system("engines"), "engine.upgrade_failed", &entry.id, data).await;
        Ok(())
    }

    /// Look again at everything: the licence, the lists or the clock changed.
    pub(super) async fn settle_all(&self) {
        for entry in self.entries() {
            let _ops = entry.ops.lock().await;
            self.check_standing(&entry);
            self.settle(&entry).await;
        }
    }

    /// The kill switch: a version that a list withdrew stops at once.
    fn check_standing(&self, entry: &Entry) {
        let (Some(app), Some(manifest)) = (self.app(), entry.manifest()) else { return };
        let trust = app.license.trust();
        let why = match trust.revocations().engine(&manifest.id, &manifest.version) {
            trust::EngineStanding::Good => None,
            trust::EngineStanding::Killed { reason } => Some(reason),
            trust::EngineStanding::BelowLowestGood { lowest } => {
                Some(format!("{lowest} is the lowest good version"))
            }
        };
        let signer = entry.live().map(|l| l.package.signer().clone());
        let gone = signer
            .as_ref()
            .filter(|s| !s.realm.is_vendor() && !trust.roots().iter().any(|r| r.realm == s.realm))
            .map(|s| ("unknown_root", format!("The root `{}` is no longer trusted.", s.root)));
        let revoked = signer.and_then(|s| trust.revocations().check_signer(&s).err());
        let refused = why
            .map(|reason| {
                ("version_killed", format!("Version {} was withdrawn: {reason}.", manifest.version))
            })
            .or_else(|| revoked.map(|e| ("revoked_certificate", format!("{e}."))))
            .or(gone);
        if let Some((code, reason)) = refused
            && !matches!(entry.phase(), Phase::Refused { .. })
        {
            tracing::error!(engine.id = %entry.id, code, reason, "an engine is stopped");
            entry.set_phase(Phase::Refused { code: code.into(), reason });
        }
    }
}

async fn health(live: &Live) -> Result<(), String> {
    let answer = live.instance.call(host_calls::HEALTH, Vec::new(), Duration::from_secs(5)).await;
    let health: Health = answer.and_then(|a| decode(&a)).map_err(|e| e.to_string())?;
    if health.healthy { Ok(()) } else { Err(format!("it says it is not healthy: {}", health.message)) }
}
