//! The engine's own check of its entitlement: a patched host is not enough.
//!
//! The SDK asks the host for a proof with a random nonce when the engine starts, when the host says that the licence
//! changed, and again once the last answer is [`FRESH`] old. It verifies the proof against the roots compiled into
//! the engine. Which entitlement is needed comes from the manifest compiled in, never from the host.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use chrono::Utc;
use futures_util::lock::Mutex;
use http::Method;
use licenses::{Decision, EngineBuild, ProofParts, verify_proof};
use plugin_api::{
    EngineError, Manifest,
    services::license::{Proof, ProofRequest},
};
use ring::rand::{SecureRandom, SystemRandom};
use trust::TrustStore;

use crate::{problem::Problem, services::Host};

/// How long an answer counts before the host is asked again.
const FRESH: Duration = Duration::from_secs(600);
/// How long the last good answer counts while the host cannot answer.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What the engine itself found out about its licence. `None` when it needs none.
#[derive(Clone)]
pub(crate) struct Entitlement(Option<Arc<Inner>>);

struct Inner {
    host: Host,
    build: EngineBuild,
    export_routes: Vec<String>,
    standing: RwLock<Standing>,
    asking: Mutex<()>,
}

#[derive(Clone)]
struct Standing {
    may_read: bool,
    may_write: bool,
    code: &'static str,
    checked: Instant,
}

/// What an engine that needs a licence asks for, or `None`.
pub(crate) fn build(own: &Manifest, signed: &Manifest) -> Option<EngineBuild> {
    let entitlement = own.entitlement.clone()?;
    Some(EngineBuild::new(entitlement, own.version.clone(), signed.built_at))
}

impl Entitlement {
    pub(crate) fn new(host: &Host, own: &Manifest) -> Self {
        let inner = build(own, host.manifest()).map(|build| {
            let standing =
                Standing { may_read: false, may_write: false, code: "not_checked", checked: Instant::now() };
            Arc::new(Inner {
                host: host.clone(),
                build,
                export_routes: own.export_routes.clone(),
                standing: RwLock::new(standing),
                asking: Mutex::new(()),
            })
        });
        Self(inner)
    }

    /// Ask the host now.
    pub(crate) async fn refresh(&self) {
        if let Some(inner) = &self.0 {
            let _asking = inner.asking.lock().await;
            inner.ask().await;
        }
    }

    /// GET, HEAD and the manifest's export routes are reading, everything else is a change.
    pub(crate) async fn allow_request(&self, method: &Method, path: &str) -> Result<(), Problem> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let standing = inner.standing().await;
        if standing.may_write {
            return Ok(());
        }
        let reads = *method == Method::GET || *method == Method::HEAD;
        let reads = reads || inner.export_routes.iter().any(|route| is_route(route, method, path));
        if reads && standing.may_read {
            return Ok(());
        }
        let e = inner.refusal(&standing);
        Err(Problem::new(402, &e.code, e.message)
            .with("engine", inner.build.engine.clone())
            .with("reason", standing.code))
    }

    pub(crate) async fn allow_read(&self) -> Result<(), EngineError> {
        self.allow(|standing| standing.may_read).await
    }

    pub(crate) async fn allow_change(&self) -> Result<(), EngineError> {
        self.allow(|standing| standing.may_write).await
    }

    async fn allow(&self, enough: fn(&Standing) -> bool) -> Result<(), EngineError> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let standing = inner.standing().await;
        if enough(&standing) { Ok(()) } else { Err(inner.refusal(&standing)) }
    }
}

impl Inner {
    async fn standing(&self) -> Standing {
        let known = self.known();
        if known.checked.elapsed() < FRESH {
            return known;
        }
        // Who comes while another asks goes on with what is known.
        let Some(_asking) = self.asking.try_lock() else { return known };
        self.ask().await;
        self.known()
    }

    fn known(&self) -> Standing {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask(&self) {
        let fresh = match self.prove().await {
            Ok(decision) => Standing {
                may_read: decision.may_read(),
                may_write: decision.may_write(),
                code: decision.code(),
                checked: Instant::now(),
            },
            Err(e) => {
                tracing::warn!(error = %e, "the licence could not be checked");
                let known = self.known();
                if known.may_read && e.code != "proof_refused" && known.checked.elapsed() < PATIENCE {
                    return;
                }
                Standing { may_read: false, may_write: false, code: "not_proven", checked: Instant::now() }
            }
        };
        *self.standing.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    async fn prove(&self) -> Result<Decision, EngineError> {
        let nonce = nonce()?;
        let request = ProofRequest { nonce: nonce.clone() };
        let proof: Proof = self.host.call("license", "proof", &request).await?;
        verify(&proof, &nonce, &self.build)
    }

    fn refusal(&self, standing: &Standing) -> EngineError {
        let engine = &self.build.engine;
        let text = match standing.may_read {
            true => {
                format!("The licence for `{engine}` has lapsed: reading and export work, changes do not.")
            }
            false => format!("This needs a licence for `{engine}` ({}).", standing.code),
        };
        EngineError::new("license_required", text)
    }
}

/// Check a proof against the compiled-in roots.
pub(crate) fn verify(proof: &Proof, nonce: &str, build: &EngineBuild) -> Result<Decision, EngineError> {
    let parts = ProofParts {
        tokens: &proof.tokens,
        revocations: proof.revocations.as_deref(),
        instance_public_key: &proof.instance_public_key,
        nonce: &proof.nonce,
        signature: &proof.signature,
        now_unix_ms: proof.now_unix_ms,
    };
    verify_proof(&parts, nonce, build, &TrustStore::built_in(), Utc::now())
        .map_err(|e| EngineError::new("proof_refused", format!("The host's licence proof is not good: {e}.")))
}

fn nonce() -> Result<String, EngineError> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| EngineError::new("no_random", "The system gives no random bytes."))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Whether a request goes to `route`: `/notes/{id}/export`, with a method before it or without.
fn is_route(route: &str, method: &Method, path: &str) -> bool {
    let pattern = match route.split_once(' ') {
        Some((wanted, pattern)) if wanted.eq_ignore_ascii_case(method.as_str()) => pattern,
        Some(_) => return false,
        None => route,
    };
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(w), Some(f)) if w == f => {}
            (Some(w), Some(f)) if w.starts_with('{') && w.ends_with('}') && !f.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn export_routes_match_by_segment_and_method() {
        let post = Method::POST;
        assert!(is_route("/notes/{id}/export", &post, "/notes/7/export"));
        assert!(is_route("POST /notes/export", &post, "/notes/export"));
        for (route, path) in [
            ("PUT /notes/export", "/notes/export"),
            ("/notes/{id}/export", "/notes//export"),
            ("/notes/{id}/export", "/notes/7/export/more"),
            ("/notes/export", "/notes"),
        ] {
            assert!(!is_route(route, &post, path), "{route} {path}");
        }
    }
}
