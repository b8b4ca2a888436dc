//! Whether an engine may run here: revocations, signature, licence; then loading it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use agent_protocol::engine::AssignedEngine;
use chrono::{DateTime, Utc};
use licenses::{EngineBuild, ProofParts, verify_proof};
use plugin_api::{Manifest, services::license::Proof};
use plugin_runtime::{
    AgentInstance, AgentServices, Package, Policy, Side, StartError, TracingLog, Verified, start_agent_half,
};
use trust::{EngineStanding, TrustStore};

use super::Trouble;
use crate::{
    facts,
    storage::{DataDir, read_optional, write_private},
};

/// How long an agent half may take to start.
const START: Duration = Duration::from_secs(30);
const MAX_REVOCATIONS: u64 = 4 << 20;

/// What engines are verified against: the roots compiled in, and the newest revocation lists seen.
pub struct Gate {
    trust: Mutex<TrustStore>,
    path: PathBuf,
}

fn revocations(data: &Path) -> PathBuf {
    data.join("revocations.json")
}

/// The roots compiled in, and the revocation lists that were seen before.
pub fn stored_trust(data: &Path) -> TrustStore {
    let mut trust = TrustStore::built_in();
    match read_optional(&revocations(data), MAX_REVOCATIONS) {
        Ok(Some(bytes)) => {
            for error in trust.restore_revocations(&String::from_utf8_lossy(&bytes)) {
                tracing::warn!(%error, "a stored revocation list is not usable");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "stored revocation lists cannot be read"),
    }
    trust
}

impl Gate {
    /// With the revocations seen before.
    pub fn open(data: &DataDir) -> Self {
        Self { trust: Mutex::new(stored_trust(data.path())), path: revocations(data.path()) }
    }

    /// What is believed now.
    pub fn trust(&self) -> TrustStore {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Take revocation lists from the host; the newest of each is kept, across restarts.
    pub fn learn(&self, revocations: &[u8]) {
        if revocations.is_empty() {
            return;
        }
        let mut trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        // A host may know roots that this agent does not; their lists mean nothing here.
        for error in trust.restore_revocations(&String::from_utf8_lossy(revocations)) {
            tracing::debug!(%error, "a revocation list of the host is not taken");
        }
        let text = trust.revocations().to_text();
        if let Err(error) = write_private(&self.path, text.as_bytes()) {
            tracing::warn!(%error, "revocation lists cannot be kept");
        }
    }

    /// Whether the proof shows a licence for the engine. Nothing but a full licence lets an agent half act.
    pub fn entitled(&self, manifest: &Manifest, proof: &[u8]) -> Result<(), Trouble> {
        let trust = self.trust();
        let killed = |why: String| Err(Trouble::refused("version_killed", why));
        match trust.revocations().engine(&manifest.id, &manifest.version) {
            EngineStanding::Good => {}
            EngineStanding::Killed { reason } => {
                return killed(format!("Its publisher withdrew this version: {reason}"));
            }
            EngineStanding::BelowLowestGood { lowest } => {
                return killed(format!("Its publisher withdrew every version before {lowest}."));
            }
        }
        let Some(entitlement) = &manifest.entitlement else { return Ok(()) };
        let proof: Proof = serde_json::from_slice(proof).map_err(|e| {
            Trouble::refused("license_required", format!("The licence proof does not parse: {e}."))
        })?;
        let build = EngineBuild::new(entitlement.clone(), manifest.version.clone(), manifest.built_at);
        let parts = ProofParts {
            tokens: &proof.tokens,
            revocations: proof.revocations.as_deref(),
            instance_public_key: &proof.instance_public_key,
            nonce: &proof.nonce,
            signature: &proof.signature,
            now_unix_ms: proof.now_unix_ms,
        };
        let decision = verify_proof(&parts, &proof.nonce, &build, &trust, Utc::now()).map_err(|e| {
            Trouble::refused("license_required", format!("The licence proof is not good: {e}."))
        })?;
        if decision.may_write() {
            return Ok(());
        }
        let code = decision.code();
        Err(Trouble::refused(
            "license_required",
            format!("The licence does not allow this engine to act ({code})."),
        ))
    }

    /// Verify the package in the file and start its agent half.
    pub async fn load(
        &self,
        path: &Path,
        engine: &AssignedEngine,
        data: &DataDir,
    ) -> Result<Arc<dyn AgentInstance>, Trouble> {
        let package = self.verify(path.to_owned()).await?;
        let manifest = package.manifest();
        if manifest.id != engine.id || manifest.version.to_string() != engine.version {
            let message = format!("The package holds {} {}.", manifest.id, manifest.version);
            return Err(Trouble::refused("other_engine", message));
        }
        self.entitled(manifest, &engine.license_proof)?;
        let folder = data.engine(&engine.id);
        crate::storage::private_dir(&folder)
            .map_err(|e| Trouble::failed("disk_failed", format!("Its folder cannot be made: {e}.")))?;
        let services = AgentServices {
            log: Arc::new(TracingLog::new(&engine.id)),
            license: engine.license_proof.to_vec(),
            data_dir: folder,
        };
        start_agent_half(&package, services, START).await.map_err(|error| match &error {
            StartError::Refused(_) | StartError::Engine(_) => {
                Trouble::refused(error.code().to_owned(), error.to_string())
            }
            _ => Trouble::failed(error.code().to_owned(), error.to_string()),
        })
    }

    async fn verify(&self, path: PathBuf) -> Result<Verified<Package>, Trouble> {
        let trust = self.trust();
        let verify = move || {
            let version = facts::VERSION.parse().map_err(|e| {
                Trouble::failed("agent_version", format!("The agent's own version does not parse: {e}."))
            })?;
            let at = admitted(&path);
            let policy = Policy::new(&trust, at.unwrap_or_else(Utc::now), Side::Agent(version));
            let package = Package::verify_file(&path, &policy)
                .map_err(|refusal| Trouble::refused(refusal.code(), refusal.message))?;
            if at.is_none() {
                admit(&path);
            }
            Ok(package)
        };
        let joined = tokio::task::spawn_blocking(verify).await;
        joined
            .unwrap_or_else(|_| Err(Trouble::failed("verification_failed", "The verification did not end.")))
    }
}

/// When the package was admitted; its publisher's certificate must have been valid then.
fn admitted(package: &Path) -> Option<DateTime<Utc>> {
    let bytes = read_optional(&package.with_extension("admitted"), 64).ok()??;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

fn admit(package: &Path) {
    let now = Utc::now().to_rfc3339();
    if let Err(error) = write_private(&package.with_extension("admitted"), now.as_bytes()) {
        tracing::warn!(%error, "the admission of a package cannot be noted");
    }
}
