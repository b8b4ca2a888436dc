//! The engines service: what is there, who serves, and the administrator's switches.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError, RwLock, Weak},
    time::Duration,
};

use chrono::TimeDelta;
use licenses::{Decision, EngineBuild, Entitlement};
use plugin_api::{Capability, Manifest};
use plugin_runtime::Mode;
use plugin_sql::Database;
use serde_json::{Value, json};

use super::{
    EngineFault,
    files::Files,
    jobs::Jobs,
    live::{Entry, Live},
    openapi,
    outbox::Outbox,
    state::{Phase, State, state},
    store,
};
use crate::{
    app::{App, Core},
    audit::Change,
    ctx::Ctx,
    events::NewEvent,
};

/// A file in the drop-in folder, or an upload, that was refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct RefusedFile {
    /// Name of the file.
    pub file: String,
    /// Stable code.
    pub code: String,
    /// Why.
    pub reason: String,
    /// When it was looked at.
    pub at: chrono::DateTime<chrono::Utc>,
}

/// The engines service. Cheap to clone.
#[derive(Clone)]
pub struct Engines(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub core: Arc<Core>,
    pub app: OnceLock<Weak<App>>,
    pub database: Database,
    pub files: Files,
    pub entries: RwLock<BTreeMap<String, Arc<Entry>>>,
    pub refused: RwLock<BTreeMap<String, RefusedFile>>,
    pub jobs: Jobs,
    pub outbox: Arc<Outbox>,
    /// One package is taken in at a time.
    pub installing: tokio::sync::Mutex<()>,
}

impl Engines {
    pub(super) async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let limits = plugin_sql::Limits::default();
        let database = match core.db.raw() {
            crate::db::RawPools::Sqlite { write, .. } => {
                // SQLite has one writer, and the host itself waits for it at most 10 s: no engine may hold it longer.
                let limits = plugin_sql::Limits {
                    statement: Duration::from_secs(8),
                    idle: Duration::from_secs(4),
                    transaction: Duration::from_secs(8),
                    ..limits
                };
                Database::sqlite(&write, limits).await?
            }
            crate::db::RawPools::Postgres(pool) => Database::postgres(&pool, limits).await?,
        };
        let drop_in = match core.config.engines.directory.as_str() {
            "" => core.data_dir.join("engines"),
            folder => PathBuf::from(folder),
        };
        let files = Files::open(drop_in, core.data_dir.join("engine-data"))?;
        let rows = store::engines(core.db.read()).await?;
        let entries = rows.into_iter().map(|row| (row.id.clone(), Arc::new(Entry::new(row)))).collect();
        Ok(Self(Arc::new(Inner {
            jobs: Jobs::new(core.clone()),
            outbox: Arc::new(Outbox::new(core.clone())),
            core,
            app: OnceLock::new(),
            database,
            files,
            entries: RwLock::new(entries),
            refused: RwLock::default(),
            installing: tokio::sync::Mutex::default(),
        })))
    }

    pub(super) fn app(&self) -> Option<Arc<App>> {
        self.0.app.get().and_then(Weak::upgrade)
    }

    pub(super) fn entries(&self) -> Vec<Arc<Entry>> {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn entry(&self, id: &str) -> Option<Arc<Entry>> {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(super) fn known(&self, id: &str) -> Result<Arc<Entry>, EngineFault> {
        self.entry(id).ok_or_else(|| EngineFault::Unknown(id.into()))
    }

    /// What the licence says of a manifest. Engines that name no entitlement need none.
    pub(super) fn decision(&self, manifest: Option<&Manifest>) -> Decision {
        let build = manifest.and_then(super::live::build_of);
        match (build, self.app()) {
            (Some(build), Some(app)) => app.license.decide(&build),
            _ => Decision {
                entitlement: Entitlement::Granted { until: None },
                license: None,
                effective_at: self.0.core.clock.now(),
                clock_set_back: None,
            },
        }
    }

    pub(super) fn entry_decision(&self, entry: &Entry) -> Decision {
        self.decision(entry.manifest().as_deref())
    }

    pub(super) fn entry_state(&self, entry: &Entry) -> State {
        state(entry.row().enabled, &self.entry_decision(entry), &entry.phase())
    }

    /// State of an engine.
    pub fn state(&self, id: &str) -> Option<State> {
        self.entry(id).map(|e| self.entry_state(&e))
    }

    /// How many engines are in each state.
    pub(crate) fn by_state(&self, ctx: &Ctx) -> Result<BTreeMap<String, i64>, EngineFault> {
        ctx.require("engines:read")?;
        let mut counts = BTreeMap::new();
        for entry in self.entries() {
            *counts.entry(self.entry_state(&entry).name().to_owned()).or_default() += 1;
        }
        Ok(counts)
    }

    /// The loaded version of an engine that serves.
    pub(super) fn serving(&self, id: &str) -> Option<Arc<Live>> {
        let entry = self.entry(id)?;
        if self.entry_state(&entry).serves() { entry.live() } else { None }
    }

    /// Whether an engine may do more than read.
    pub fn may_write(&self, id: &str) -> bool {
        self.state(id) == Some(State::Active)
    }

    /// Ids of the engines that may do more than read.
    pub(super) fn that_write(&self) -> Vec<String> {
        self.ids_where(|s| *s == State::Active)
    }

    /// Ids of the engines that calls may reach.
    pub(super) fn that_serve(&self) -> Vec<String> {
        self.ids_where(State::serves)
    }

    fn ids_where(&self, wanted: impl Fn(&State) -> bool) -> Vec<String> {
        self.entries().iter().filter(|e| wanted(&self.entry_state(e))).map(|e| e.id.clone()).collect()
    }

    /// Builds that licences are asked about, for the licence page.
    pub fn builds(&self) -> Vec<EngineBuild> {
        self.entries().iter().filter_map(|e| e.build()).collect()
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// The private folder of an engine.
    pub(super) fn data_folder(&self, id: &str) -> PathBuf {
        self.0.files.data.join(id)
    }

    /// OpenAPI documents of the running engines, with absolute paths.
    pub fn openapi_parts(&self) -> Vec<Value> {
        let live = self.entries().into_iter().filter_map(|e| e.live());
        live.map(|l| openapi::absolute(&l.manifest().id, &l.instance.description().openapi)).collect()
    }

    /// The mode an engine runs in: the administrator's switch, then the configuration.
    pub(super) fn mode(&self, entry: &Entry) -> Mode {
        let config = &self.0.core.config.engines;
        let row = entry.row();
        let name = row.mode.as_deref().or_else(|| config.modes.get(&entry.id).map(String::as_str));
        parse_mode(name.unwrap_or(&config.default_mode)).unwrap_or(Mode::InProcess)
    }

    /// Capabilities that the manifest asks for and somebody granted.
    pub(super) async fn granted(&self, manifest: &Manifest) -> Result<BTreeSet<Capability>, EngineFault> {
        let grants = store::grants(self.0.core.db.read(), &manifest.id).await?;
        let granted = |c: &&Capability| grants.get(c.name()).is_some_and(|g| g.granted);
        Ok(manifest.capabilities.uses.iter().filter(granted).copied().collect())
    }

    /// Tell SSE clients and engines, and write it down.
    pub(super) async fn tell(&self, ctx: &Ctx, topic: &str, id: &str, data: Value) {
        let change = Change::new(topic, "engine", id).after(&data);
        if let Err(error) = self.0.core.audit.record(ctx, change).await {
            tracing::error!(%error, topic, "an audit entry was not written");
        }
        self.publish(topic, id, data);
    }

    pub(super) fn publish(&self, topic: &str, id: &str, mut data: Value) {
        data["engine"] = json!(id);
        if let Some(state) = self.state(id) {
            data["state"] = json!(state.name());
        }
        self.0.core.events.publish(NewEvent::new(topic, "engines:read", data));
    }

    /// Switch an engine on; also after a failure or quarantine, to try again.
    pub async fn enable(&self, ctx: &Ctx, id: &str) -> Result<(), EngineFault> {
        ctx.require("engines:manage")?;
        let entry = self.known(id)?;
        let _ops = entry.ops.lock().await;
        let mut row = entry.row();
        row.enabled = true;
        row.failure = None;
        self.keep(&entry, row).await?;
        if entry.live().is_none() {
            entry.set_phase(Phase::Idle);
        }
        self.tell(ctx, "engine.enabled", id, json!({})).await;
        self.settle(&entry).await;
        Ok(())
    }

    /// Switch an engine off. Its data stays.
    pub async fn disable(&self, ctx: &Ctx, id: &str) -> Result<(), EngineFault> {
        ctx.require("engines:manage")?;
        let entry = self.known(id)?;
        let _ops = entry.ops.lock().await;
        let mut row = entry.row();
        row.enabled = false;
        self.keep(&entry, row).await?;
        self.tell(ctx, "engine.disabled", id, json!({})).await;
        self.settle(&entry).await;
        Ok(())
    }

    /// Run an engine in this process or in one of its own, from now on.
    pub async fn set_mode(&self, ctx: &Ctx, id: &str, mode: &str) -> Result<(), EngineFault> {
        ctx.require("engines:manage")?;
        let wanted = parse_mode(mode)
            .ok_or_else(|| EngineFault::Invalid("mode", "A mode is `in_process` or `isolated`.".into()))?;
        let entry = self.known(id)?;
        let _ops = entry.ops.lock().await;
        let before = self.mode(&entry);
        let mut row = entry.row();
        row.mode = Some(mode.into());
        self.keep(&entry, row).await?;
        self.tell(ctx, "engine.mode_changed", id, json!({"before": before, "after": wanted})).await;
        if before != wanted { self.reload(&entry).await } else { Ok(()) }
    }

    /// Decide on capabilities, and load the engine again with the new table of services.
    pub async fn set_grants(
        &self,
        ctx: &Ctx,
        id: &str,
        wanted: &BTreeMap<String, bool>,
    ) -> Result<(), EngineFault> {
        ctx.require("engines:manage")?;
        let entry = self.known(id)?;
        let _ops = entry.ops.lock().await;
        let named = |name: &String| Capability::ALL.into_iter().find(|c| c.name() == name);
        if let Some(odd) = wanted.keys().find(|n| named(n).is_none()) {
            return Err(EngineFault::Invalid("grants", format!("There is no capability `{odd}`.")));
        }
        let (db, now) = (&self.0.core.db, self.0.core.clock.now());
        let tx = db.begin().await?;
        for (name, granted) in wanted {
            let Some(capability) = named(name) else { continue };
            store::set_grant(&tx, id, capability, *granted, &ctx.actor.to_string(), now).await?;
        }
        let change = Change::new("engine.grants_changed", "engine", id).after(wanted);
        self.0.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.publish("engine.grants_changed", id, json!({"grants": wanted}));
        self.reload(&entry).await
    }

    /// Stop an engine and remove its packages. Its data stays unless `purge`, which needs a fresh export.
    pub async fn uninstall(&self, ctx: &Ctx, id: &str, purge: bool) -> Result<(), EngineFault> {
        ctx.require("engines:install")?;
        let entry = self.known(id)?;
        let _ops = entry.ops.lock().await;
        let mut row = entry.row();
        let fresh = |at| self.0.core.clock.now() - at < TimeDelta::days(1);
        if purge && !row.exported_at.is_some_and(fresh) {
            return Err(EngineFault::ExportFirst(id.into()));
        }
        self.stop(&entry).await;
        let db = &self.0.core.db;
        store::delete_versions(db.write(), id).await?;
        self.0.files.remove_engine(id)?;
        self.0.core.permissions.remove_engine(id);
        entry.set_manifest(None);
        if purge {
            self.0.database.purge(id).await?;
            self.0.jobs.purge(id).await?;
            self.0.outbox.purge(id).await?;
            self.0.core.settings.delete_owner(id).await?;
            store::delete_grants(db.write(), id).await?;
            let _ = tokio::fs::remove_dir_all(self.data_folder(id)).await;
        }
        // The row stays: the highest version ever installed is still the floor.
        row.enabled = false;
        row.current = None;
        row.previous = None;
        row.failure = None;
        row.exported_at = None;
        self.keep(&entry, row).await?;
        entry.set_phase(Phase::Idle);
        self.tell(ctx, "engine.uninstalled", id, json!({"purged": purge})).await;
        self.reassign();
        Ok(())
    }

    /// Store the row, then show it.
    pub(super) async fn keep(
        &self,
        entry: &Entry,
        row: super::entity::engine::Model,
    ) -> Result<(), EngineFault> {
        store::update_engine(self.0.core.db.write(), row.clone()).await?;
        entry.set_row(row);
        Ok(())
    }

    pub(super) fn refuse(&self, file: &str, fault: &EngineFault) {
        self.note_refused(file, fault.reason(), &fault.to_string());
    }

    pub(super) fn note_refused(&self, file: &str, code: &str, reason: &str) {
        let refused = RefusedFile {
            file: file.into(),
            code: code.into(),
            reason: reason.into(),
            at: self.0.core.clock.now(),
        };
        tracing::warn!(file, code = %refused.code, reason = %refused.reason, "an engine package was refused");
        let data = json!({"file": refused.file, "code": refused.code, "reason": refused.reason});
        self.0.core.events.publish(NewEvent::new("engine.refused", "engines:read", data));
        let mut all = self.0.refused.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(file.into(), refused);
        // Names come from whoever writes to the folder: keep a bounded number.
        while all.len() > 200 {
            all.pop_first();
        }
    }
}

pub(super) fn parse_mode(name: &str) -> Option<Mode> {
    match name {
        "in-process" | "in_process" => Some(Mode::InProcess),
        "isolated" => Some(Mode::Isolated),
        _ => None,
    }
}
