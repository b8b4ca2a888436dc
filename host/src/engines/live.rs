//! A loaded version, and the place of an engine where versions are swapped.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use licenses::EngineBuild;
use plugin_api::{CallContext, Manifest};
use plugin_runtime::{EngineInstance, Package, Verified};
use plugin_sql::EngineSql;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{entity::engine, openapi::Routes, state::Phase};
use crate::ctx::Ctx;

/// A loaded version.
pub(super) struct Live {
    pub package: Arc<Verified<Package>>,
    pub instance: Arc<dyn EngineInstance>,
    pub sql: Option<EngineSql>,
    pub routes: Routes,
    pub stats: Arc<Stats>,
    /// Cancelled when this version no longer receives events.
    pub stop: CancellationToken,
    leases: AtomicU64,
    ended: Notify,
}

impl Live {
    pub fn new(
        package: Arc<Verified<Package>>,
        instance: Arc<dyn EngineInstance>,
        sql: Option<EngineSql>,
        routes: Routes,
        stop: CancellationToken,
    ) -> Self {
        Self {
            package,
            instance,
            sql,
            routes,
            stats: Arc::default(),
            stop,
            leases: AtomicU64::new(0),
            ended: Notify::new(),
        }
    }

    pub fn manifest(&self) -> &Manifest {
        self.package.manifest()
    }

    /// Wait until every call that had taken this version was handed over, at most `grace`.
    pub async fn handed_over(&self, grace: Duration) {
        let wait = async {
            loop {
                let ended = self.ended.notified();
                if self.leases.load(Ordering::SeqCst) == 0 {
                    return;
                }
                ended.await;
            }
        };
        let _ = tokio::time::timeout(grace, wait).await;
    }
}

/// A call's hold on a version: it is not shut down before the call has reached it.
pub(super) struct Lease(Arc<Live>);

impl std::ops::Deref for Lease {
    type Target = Live;
    fn deref(&self) -> &Live {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.leases.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}

/// Calls of a version.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub calls: AtomicU64,
    pub errors: AtomicU64,
    recent: Mutex<VecDeque<u64>>,
}

impl Stats {
    /// Note a call's outcome.
    pub fn note(&self, took: Duration, failed: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if failed {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        // Never wait for a number that is only shown.
        if let Ok(mut recent) = self.recent.try_lock() {
            if recent.len() == 1024 {
                recent.pop_front();
            }
            recent.push_back(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// 99th percentile of the last 1024 calls, in microseconds.
    pub fn p99_us(&self) -> u64 {
        let mut all: Vec<u64> =
            self.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        all.sort_unstable();
        all.get((all.len() * 99 / 100).min(all.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

/// Contexts that the host gave to an engine, so that what the engine says of an actor can be checked.
#[derive(Default)]
pub(super) struct Contexts {
    known: Mutex<Known>,
}

/// The last calls, forgotten oldest first.
#[derive(Default)]
struct Known {
    /// Request id -> the context and scope that the engine was given.
    calls: HashMap<String, (Ctx, String)>,
    order: VecDeque<String>,
}

impl Contexts {
    const KEPT: usize = 4096;

    /// Note that a call under `ctx` with this scope went to the engine.
    pub fn remember(&self, ctx: &Ctx, scope: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let id = ctx.request_id.clone();
        if known.calls.insert(id.clone(), (ctx.clone(), scope.to_owned())).is_none() {
            known.order.push_back(id);
        }
        while known.order.len() > Self::KEPT {
            if let Some(oldest) = known.order.pop_front() {
                known.calls.remove(&oldest);
            }
        }
    }

    /// The context behind what an engine hands back: the genuine one when the host gave it, else the engine's own.
    pub fn resolve(&self, engine: &str, said: &CallContext) -> (Ctx, String) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((ctx, scope)) = known.calls.get(&said.request_id)
            && ctx.actor.to_string() == said.actor
        {
            return (ctx.clone(), scope.clone());
        }
        let name = match said.actor_name.as_str() {
            "" => format!("engine {engine}"),
            name => format!("{name} (as {engine} says)"),
        };
        let grants = vec![crate::permissions::Grant::everything()];
        let request = match said.request_id.as_str() {
            "" => format!("{engine}-{}", uuid::Uuid::now_v7().simple()),
            id => id.chars().take(100).collect(),
        };
        (Ctx::new(crate::ctx::Actor::Engine(engine.into()), name, grants, request), said.scope.clone())
    }
}

/// One engine: its row, its phase, and the version that serves.
pub(super) struct Entry {
    pub id: String,
    /// One change of the lifecycle at a time.
    pub ops: tokio::sync::Mutex<()>,
    row: RwLock<engine::Model>,
    phase: RwLock<Phase>,
    /// Manifest of the current version, loaded or not.
    manifest: RwLock<Option<Arc<Manifest>>>,
    slot: RwLock<Option<Arc<Live>>>,
    pub contexts: Contexts,
    pub logs: Arc<super::logs::Logs>,
    /// What the licence said when the engine was last told.
    told: Mutex<Option<(licenses::Entitlement, Option<String>)>>,
    pub datasets: RwLock<Vec<plugin_api::services::reports::DatasetSpec>>,
}

fn read<T: Clone>(lock: &RwLock<T>) -> T {
    lock.read().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Entry {
    pub fn new(row: engine::Model) -> Self {
        Self {
            id: row.id.clone(),
            ops: tokio::sync::Mutex::default(),
            row: RwLock::new(row),
            phase: RwLock::default(),
            manifest: RwLock::default(),
            slot: RwLock::default(),
            contexts: Contexts::default(),
            logs: Arc::default(),
            told: Mutex::default(),
            datasets: RwLock::default(),
        }
    }

    pub fn row(&self) -> engine::Model {
        read(&self.row)
    }

    pub fn set_row(&self, row: engine::Model) {
        *self.row.write().unwrap_or_else(PoisonError::into_inner) = row;
    }

    pub fn phase(&self) -> Phase {
        read(&self.phase)
    }

    pub fn set_phase(&self, phase: Phase) {
        *self.phase.write().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    pub fn manifest(&self) -> Option<Arc<Manifest>> {
        read(&self.manifest)
    }

    pub fn set_manifest(&self, manifest: Option<Arc<Manifest>>) {
        *self.manifest.write().unwrap_or_else(PoisonError::into_inner) = manifest;
    }

    /// The build a licence is asked about; `None` for an engine that needs none.
    pub fn build(&self) -> Option<EngineBuild> {
        self.manifest().and_then(|m| build_of(&m))
    }

    /// Whether a decision differs from the one before; it is the one before from now on.
    pub fn differs(&self, decision: &licenses::Decision) -> bool {
        let now = Some((decision.entitlement.clone(), decision.license.clone()));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *told, now.clone()) != now
    }

    /// The version that serves.
    pub fn live(&self) -> Option<Arc<Live>> {
        read(&self.slot)
    }

    /// The version that serves, held until the call has reached it. The count rises under the lock that a swap
    /// takes, so that no call falls between the old version and the new.
    pub fn lease(&self) -> Option<Lease> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let live = slot.as_ref()?;
        live.leases.fetch_add(1, Ordering::SeqCst);
        Some(Lease(live.clone()))
    }

    /// Put another version, or none, in its place; answers the one before.
    pub fn swap(&self, live: Option<Arc<Live>>) -> Option<Arc<Live>> {
        std::mem::replace(&mut *self.slot.write().unwrap_or_else(PoisonError::into_inner), live)
    }

    /// Names of the data sets it offers.
    pub fn dataset_names(&self) -> Vec<String> {
        read(&self.datasets).into_iter().map(|d| d.name).collect()
    }
}

/// The build that licences are asked about.
pub(super) fn build_of(manifest: &Manifest) -> Option<EngineBuild> {
    let engine = manifest.entitlement.as_ref()?;
    Some(EngineBuild::new(engine, manifest.version.clone(), manifest.built_at))
}
