//! Agent halves of engines: what the host assigns is fetched, verified here, and loaded; the rest is let go.
//!
//! The host is not believed: signature, target, versions, revocations, licence and the owner's policy are all
//! checked on this machine, at load and again every hour. Packages stay on disk, so that a restart needs no host.

mod admission;
mod download;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agent_protocol::engine::{
    AssignedEngine, EngineAssign, EngineReport, EngineState, EngineStatus, LoadedEngine,
};
use plugin_api::services::host_calls;
use plugin_runtime::AgentInstance;
use tokio::sync::{Notify, watch};

use crate::{
    backoff::Backoff,
    http_client::Client,
    hub::Hub,
    policy::{FORBIDDEN_BY_POLICY, PolicyFile},
    storage::{DataDir, read_optional, write_private},
};
use admission::Gate;
pub(crate) use admission::stored_trust;

/// Licences end while nobody tells us; look at least this often.
const RECHECK: Duration = Duration::from_secs(3600);
/// How long an engine may take to look at a new licence.
const LICENSE_CALL: Duration = Duration::from_secs(10);
const MAX_ASSIGNMENTS: u64 = 128 << 20;

/// Why an engine does not run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    state: EngineState,
    code: String,
    message: String,
}

impl Trouble {
    fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { state: EngineState::Refused, code: code.into(), message: message.into() }
    }
    fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { state: EngineState::Failed, code: code.into(), message: message.into() }
    }
}

/// Why a command has no engine to run it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It was not assigned, or not loaded in time.
    #[error("The engine {0} is not loaded on this machine.")]
    NotLoaded(String),
    /// It cannot be loaded.
    #[error("{message}")]
    Refused {
        /// Stable code of the reason.
        code: String,
        /// A sentence.
        message: String,
    },
}

impl Missing {
    /// Stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::NotLoaded(_) => "engine_missing",
            Self::Refused { code, .. } => code,
        }
    }
}

/// The engines of this machine.
pub struct Engines {
    data: DataDir,
    hub: Arc<Hub>,
    policy: Arc<PolicyFile>,
    gate: Gate,
    state: Mutex<State>,
    wake: Notify,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    client: Option<Client>,
    assigned: EngineAssign,
    loaded: BTreeMap<String, Loaded>,
    reports: BTreeMap<String, EngineReport>,
}

#[derive(Clone)]
struct Loaded {
    engine: AssignedEngine,
    half: Arc<dyn AgentInstance>,
}

impl Engines {
    /// How to fetch from the host, once there was a session, and whom to believe.
    pub(crate) fn sources(&self) -> (Option<Client>, trust::TrustStore) {
        (self.state().client.clone(), self.gate.trust())
    }

    /// The engines of the data folder, as they were assigned last. [`Engines::run`] loads them.
    pub fn open(data: &DataDir, hub: Arc<Hub>, policy: Arc<PolicyFile>) -> std::io::Result<Arc<Self>> {
        crate::storage::private_dir(&data.packages())?;
        let gate = Gate::open(data);
        let assigned = read_optional(&data.assignments(), MAX_ASSIGNMENTS)?;
        let assigned = assigned.and_then(|bytes| rmp_serde::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(Arc::new(Self {
            data: data.clone(),
            hub,
            policy,
            gate,
            state: Mutex::new(State { assigned, ..State::default() }),
            wake: Notify::new(),
            changed: watch::Sender::new(()),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Packages are fetched with this client from now on.
    pub fn connected(&self, client: Client) {
        self.state().client = Some(client);
        self.wake.notify_one();
    }

    /// The host's complete list.
    pub fn assign(&self, assigned: EngineAssign) {
        match rmp_serde::to_vec_named(&assigned) {
            Ok(bytes) => {
                if let Err(error) = write_private(&self.data.assignments(), &bytes) {
                    tracing::warn!(%error, "assigned engines cannot be remembered");
                }
            }
            Err(error) => tracing::warn!(%error, "assigned engines cannot be remembered"),
        }
        self.state().assigned = assigned;
        self.wake.notify_one();
    }

    /// For the hello.
    pub fn loaded(&self) -> Vec<LoadedEngine> {
        let entry = |(id, loaded): (&String, &Loaded)| LoadedEngine {
            id: id.clone(),
            version: loaded.engine.version.clone(),
        };
        self.state().loaded.iter().map(entry).collect()
    }

    /// What became of each assigned engine.
    pub fn status(&self) -> EngineStatus {
        EngineStatus { engines: self.state().reports.values().cloned().collect() }
    }

    /// The agent half of an engine, waiting for it to be loaded.
    ///
    /// # Errors
    /// [`Missing`] says why there is none.
    pub async fn wait_for(
        &self,
        id: &str,
        version: Option<&str>,
        patience: Duration,
    ) -> Result<Arc<dyn AgentInstance>, Missing> {
        let mut changes = self.changed.subscribe();
        let find = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = self.find(id, version) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    return Err(Missing::NotLoaded(id.into()));
                }
            }
        };
        tokio::time::timeout(patience, find).await.unwrap_or_else(|_| Err(Missing::NotLoaded(id.into())))
    }

    fn find(&self, id: &str, version: Option<&str>) -> Option<Result<Arc<dyn AgentInstance>, Missing>> {
        let state = self.state();
        let wanted = |found: &str| version.is_none_or(|version| version == found);
        if let Some(loaded) = state.loaded.get(id).filter(|loaded| wanted(&loaded.engine.version)) {
            return Some(Ok(Arc::clone(&loaded.half)));
        }
        let report = state.reports.get(id).filter(|report| wanted(&report.version))?;
        (report.state == EngineState::Refused)
            .then(|| Err(Missing::Refused { code: report.code.clone(), message: report.message.clone() }))
    }

    /// Keep what runs and what is assigned the same, for ever.
    pub async fn run(self: Arc<Self>) {
        let mut backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));
        loop {
            let all_well = self.reconcile().await;
            let pause = if all_well {
                backoff.reset();
                RECHECK
            } else {
                backoff.next_wait()
            };
            // A wake-up or the end of the pause, whichever is first.
            let _elapsed = tokio::time::timeout(pause, self.wake.notified()).await;
        }
    }

    /// One round. False when something failed that may go better later.
    async fn reconcile(&self) -> bool {
        let assigned = self.state().assigned.clone();
        self.gate.learn(&assigned.revocations);
        self.let_go(&assigned);
        let mut all_well = true;
        for engine in &assigned.engines {
            if let Err(trouble) = self.settle(engine).await {
                all_well &= trouble.state != EngineState::Failed;
                tracing::warn!(
                    engine.id = engine.id,
                    code = trouble.code,
                    "engine not running: {}",
                    trouble.message
                );
                self.state().loaded.remove(&engine.id);
                self.report(engine, trouble.state, &trouble.code, &trouble.message);
            }
        }
        all_well
    }

    /// Unload what is no longer assigned, and forget its packages.
    fn let_go(&self, assigned: &EngineAssign) {
        let keep = |id: &String| assigned.engines.iter().any(|engine| engine.id == *id);
        let mut state = self.state();
        let before = state.reports.len();
        state.loaded.retain(|id, _| keep(id));
        state.reports.retain(|id, _| keep(id));
        let gone = state.reports.len() != before;
        drop(state);
        if gone {
            self.tell();
        }
        let names: Vec<String> = assigned.engines.iter().map(download::file_name).collect();
        if let Err(error) = download::remove_all_but(&self.data.packages(), &names) {
            tracing::debug!(%error, "old packages cannot be removed");
        }
    }

    async fn settle(&self, engine: &AssignedEngine) -> Result<(), Trouble> {
        let allowed = self.policy.allows_engine(&engine.id);
        allowed.map_err(|forbidden| Trouble::refused(FORBIDDEN_BY_POLICY, forbidden.to_string()))?;
        let loaded = self.state().loaded.get(&engine.id).cloned();
        let same = |loaded: &Loaded| {
            loaded.engine.version == engine.version && loaded.engine.digest == engine.digest
        };
        if let Some(loaded) = loaded.filter(same) {
            // The same code; the licence may have changed.
            self.gate.entitled(loaded.half.manifest(), &engine.license_proof)?;
            if loaded.engine.license_proof != engine.license_proof {
                self.tell_license(engine, loaded.half).await;
            }
            return Ok(());
        }
        self.report(engine, EngineState::Fetching, "", "");
        let client = self.state().client.clone();
        let path = download::fetch(&self.data.packages(), engine, client.as_ref()).await?;
        let half = self.gate.load(&path, engine, &self.data).await?;
        self.state().loaded.insert(engine.id.clone(), Loaded { engine: engine.clone(), half });
        tracing::info!(engine.id = engine.id, engine.version = engine.version, "engine loaded");
        self.report(engine, EngineState::Loaded, "", "");
        Ok(())
    }

    /// Give a running half the new proof: it checks for itself, too.
    async fn tell_license(&self, engine: &AssignedEngine, half: Arc<dyn AgentInstance>) {
        let told = half.call(host_calls::LICENSE_CHANGED, engine.license_proof.to_vec(), LICENSE_CALL).await;
        if let Err(error) = told {
            tracing::debug!(engine.id = engine.id, %error, "an engine does not look at the new licence");
        }
        self.state().loaded.insert(engine.id.clone(), Loaded { engine: engine.clone(), half });
    }

    fn report(&self, engine: &AssignedEngine, state: EngineState, code: &str, message: &str) {
        let mut message = message.to_owned();
        while message.len() > agent_protocol::limits::MAX_MESSAGE_BYTES {
            message.pop();
        }
        let report = EngineReport {
            id: engine.id.clone(),
            version: engine.version.clone(),
            state,
            code: code.into(),
            message,
        };
        let before = self.state().reports.insert(engine.id.clone(), report.clone());
        if before.as_ref() != Some(&report) {
            self.tell();
        }
    }

    fn tell(&self) {
        self.hub.send(self.status());
        self.changed.send_replace(());
    }
}
