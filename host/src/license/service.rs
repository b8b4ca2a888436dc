//! The licence service: install, remove, explain, prove, decide.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use licenses::{Decision, EngineBuild, Explanation, Limits};
use plugin_api::services::license::Proof;
use serde_json::json;
use tokio::sync::watch;
use trust::TrustStore;

use super::{
    LicenseError,
    state::{OfflineLimit, State, ThirdPartyRoot, trust_store},
    store,
};
use crate::{
    app::Core,
    audit::Change,
    ctx::Ctx,
    events::NewEvent,
    machines::{LimitReached, MachineLimit},
};

/// The licence service. Cheap to clone.
#[derive(Clone)]
pub struct License {
    core: Arc<Core>,
    state: Arc<RwLock<State>>,
    /// One change at a time.
    writing: Arc<tokio::sync::Mutex<()>>,
    changed: Arc<watch::Sender<u64>>,
}

impl License {
    pub(super) async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let mut state = State::load(&core.db, core.keys.instance.clone(), core.audit.newest().await?).await?;
        state.floor.observe_run(core.clock.now());
        Ok(Self {
            core,
            state: Arc::new(RwLock::new(state)),
            writing: Arc::default(),
            changed: Arc::new(watch::Sender::new(0)),
        })
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Put a new state in force and tell everybody who decided by the old one.
    fn replace(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.send_modify(|n| *n += 1);
    }

    /// Whether one more machine may join `approved` ones.
    ///
    /// # Errors
    /// With the limit.
    pub fn admits(&self, approved: u64) -> Result<(), LimitReached> {
        match self.limits().hosts {
            Some(limit) if approved >= limit => Err(LimitReached { limit, approved }),
            _ => Ok(()),
        }
    }

    /// What is granted to a build now.
    pub fn decide(&self, build: &EngineBuild) -> Decision {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.decide(build, self.core.clock.now())
    }

    /// How many machines may be approved.
    pub fn limits(&self) -> Limits {
        self.state.read().unwrap_or_else(PoisonError::into_inner).limits(self.core.clock.now())
    }

    /// How many licences are installed.
    pub(crate) fn installed(&self) -> usize {
        self.state.read().unwrap_or_else(PoisonError::into_inner).licenses.iter().count()
    }

    /// Roots and revocations, for verifying packages.
    pub fn trust(&self) -> Arc<TrustStore> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).trust.clone()
    }

    /// Grows with every change of licence, revocations, roots, and with the clock's ticks.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The time that counts: never before what was seen.
    pub fn effective_now(&self) -> DateTime<Utc> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).floor.effective(self.core.clock.now())
    }

    /// Until when the licences allow to be without contact to the portal; `None` where none asks for contact.
    pub fn offline_limit(&self) -> Option<OfflineLimit> {
        self.state().offline()
    }

    /// The portal answered, and proved that it is the portal, at this time.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn note_contact(&self, at: DateTime<Utc>) -> Result<(), LicenseError> {
        let _writing = self.writing.lock().await;
        let mut state = self.state();
        if state.last_contact.is_some_and(|known| known >= at) {
            return Ok(());
        }
        state.last_contact = Some(at);
        state.floor.observe_signed(at);
        store::put(self.core.db.write(), store::CONTACT, &state.last_contact, self.core.clock.now()).await?;
        self.replace(state);
        Ok(())
    }

    /// Every token.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.state().licenses.tokens()
    }

    /// The token of the licence that grants a build, or of any licence: who asks the portal shows it.
    pub(crate) fn token_for(&self, build: Option<&EngineBuild>) -> Option<String> {
        let granting = build.and_then(|b| self.decide(b).license);
        let state = self.state();
        let named = granting.as_deref().and_then(|id| state.licenses.get(id));
        named.or_else(|| state.licenses.iter().next()).map(|l| l.token().to_owned())
    }

    /// What an engine or agent needs to check the licence itself.
    pub fn proof(&self, nonce: &str) -> Proof {
        let state = self.state();
        let now = state.floor.effective(self.core.clock.now());
        let tokens = state.licenses.tokens();
        let revocations =
            (!state.trust.revocations().is_empty()).then(|| state.trust.revocations().to_text());
        let signature = state.key.prove(&tokens, revocations.as_deref(), nonce, now);
        Proof {
            tokens,
            revocations,
            instance_public_key: state.key.public_key().to_string(),
            nonce: nonce.into(),
            signature,
            now_unix_ms: now.timestamp_millis(),
        }
    }

    /// Id of this host's key: what a licence may be bound to.
    pub fn instance(&self) -> String {
        self.state().key_id.to_string()
    }

    /// What holds for `builds` at `at` (now when `None`).
    ///
    /// # Errors
    /// [`LicenseError::Forbidden`].
    pub fn explain(
        &self,
        ctx: &Ctx,
        builds: &[EngineBuild],
        at: Option<DateTime<Utc>>,
    ) -> Result<Explanation, LicenseError> {
        ctx.require("license:read")?;
        let state = self.state();
        let now = self.core.clock.now();
        let circumstances = state.circumstances(now);
        Ok(licenses::explain(builds, &circumstances, at))
    }

    /// Install a token, or renew the licence with its id.
    ///
    /// # Errors
    /// [`LicenseError::Refused`] with the reason.
    pub async fn install(&self, ctx: &Ctx, token: &str) -> Result<(), LicenseError> {
        ctx.require("license:manage")?;
        let _writing = self.writing.lock().await;
        let mut state = self.state();
        let mut licenses = (*state.licenses).clone();
        licenses.install(token.trim(), &state.trust, Some(&state.key_id))?;
        licenses.iter().for_each(|l| state.floor.learn(l));
        let summary: Vec<_> = licenses.iter().map(|l| l.claims().id.clone()).collect();
        self.keep_tokens(ctx, "license.installed", &licenses.tokens(), &state, json!({"licenses": summary}))
            .await?;
        state.licenses = Arc::new(licenses);
        self.replace(state);
        Ok(())
    }

    /// Remove one licence, or all of them.
    ///
    /// # Errors
    /// [`LicenseError::NotFound`].
    pub async fn remove(&self, ctx: &Ctx, id: Option<&str>) -> Result<(), LicenseError> {
        ctx.require("license:manage")?;
        let _writing = self.writing.lock().await;
        let mut state = self.state();
        let mut licenses = (*state.licenses).clone();
        match id {
            Some(id) if !licenses.remove(id) => return Err(LicenseError::NotFound(id.into())),
            Some(_) => {}
            None => licenses = Default::default(),
        }
        self.keep_tokens(ctx, "license.removed", &licenses.tokens(), &state, json!({"id": id})).await?;
        state.licenses = Arc::new(licenses);
        self.replace(state);
        Ok(())
    }

    async fn keep_tokens(
        &self,
        ctx: &Ctx,
        topic: &str,
        tokens: &[String],
        state: &State,
        data: serde_json::Value,
    ) -> Result<(), LicenseError> {
        let now = self.core.clock.now();
        let tx = self.core.db.begin().await?;
        store::put(&tx, store::TOKENS, &tokens, now).await?;
        store::put(&tx, store::FLOOR, &state.floor, now).await?;
        self.core.audit.record_in(ctx, &tx, Change::new(topic, "license", "host").after(&data)).await?;
        tx.commit().await?;
        self.core.events.publish(NewEvent::new(topic, "license:read", data));
        Ok(())
    }

    /// Put a signed revocation list in force. Answers whether it is a new one.
    ///
    /// # Errors
    /// [`LicenseError::Untrusted`].
    pub async fn apply_revocations(&self, ctx: &Ctx, text: &str) -> Result<bool, LicenseError> {
        ctx.require("license:manage")?;
        let _writing = self.writing.lock().await;
        let mut state = self.state();
        let mut trust = (*state.trust).clone();
        if trust.apply_revocations(text)? == trust::Applied::Unchanged {
            return Ok(false);
        }
        trust.revocations().newest().into_iter().for_each(|at| state.floor.observe_signed(at));
        let sequences: Vec<u64> = trust.revocations().lists().map(|l| l.body().sequence).collect();
        let data = json!({"sequences": sequences});
        let now = self.core.clock.now();
        let tx = self.core.db.begin().await?;
        store::put(&tx, store::REVOCATIONS, &trust.revocations().to_text(), now).await?;
        store::put(&tx, store::FLOOR, &state.floor, now).await?;
        let change = Change::new("license.revocations_applied", "revocations", "host").after(&data);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        state.trust = Arc::new(trust);
        self.replace(state);
        self.core.events.publish(NewEvent::new("license.revocations_applied", "license:read", data));
        Ok(true)
    }

    /// Put a list in force that came from the portal, unless one that is as new is in force. Whether it is new.
    ///
    /// # Errors
    /// [`LicenseError::Untrusted`].
    pub(crate) async fn take_revocations(&self, ctx: &Ctx, text: &str) -> Result<bool, LicenseError> {
        match self.apply_revocations(ctx, text).await {
            Err(LicenseError::Untrusted(trust::Error::OlderRevocationList { .. })) => Ok(false),
            other => other,
        }
    }

    /// Install an edition that came from the portal, unless one that is as new is here. Whether it is new.
    ///
    /// # Errors
    /// [`LicenseError::Refused`].
    pub(crate) async fn take_edition(&self, ctx: &Ctx, token: &str) -> Result<bool, LicenseError> {
        ctx.require("license:manage")?;
        if self.tokens().iter().any(|known| known == token.trim()) {
            return Ok(false);
        }
        match self.install(ctx, token).await {
            Ok(()) => Ok(true),
            Err(LicenseError::Refused(licenses::Error::OlderLicense(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Third-party roots.
    ///
    /// # Errors
    /// [`LicenseError::Forbidden`].
    pub fn roots(&self, ctx: &Ctx) -> Result<Vec<ThirdPartyRoot>, LicenseError> {
        ctx.require("license:read")?;
        Ok(self.state().roots)
    }

    /// Trust a third party's root for its engines.
    ///
    /// # Errors
    /// [`LicenseError::Untrusted`].
    pub async fn add_root(&self, ctx: &Ctx, root: ThirdPartyRoot) -> Result<(), LicenseError> {
        ctx.require("license:manage")?;
        let _writing = self.writing.lock().await;
        let mut state = self.state();
        let mut trust = (*state.trust).clone();
        trust.add_root(root.to_root()?)?;
        let change = Change::new("license.root_added", "root", &root.name).after(&root);
        state.roots.push(root);
        state.trust = Arc::new(trust);
        self.keep_roots(ctx, state, change).await
    }

    /// Trust a third party's root no longer; its engines stop.
    ///
    /// # Errors
    /// [`LicenseError::NoRoot`].
    pub async fn remove_root(&self, ctx: &Ctx, name: &str) -> Result<(), LicenseError> {
        ctx.require("license:manage")?;
        let _writing = self.writing.lock().await;
        let mut state = self.state();
        let Some(at) = state.roots.iter().position(|r| r.name == name) else {
            return Err(LicenseError::NoRoot(name.into()));
        };
        let removed = state.roots.remove(at);
        state.trust = Arc::new(trust_store(&state.roots, &state.trust.revocations().to_text()));
        self.keep_roots(ctx, state, Change::new("license.root_removed", "root", name).before(&removed)).await
    }

    async fn keep_roots(&self, ctx: &Ctx, state: State, change: Change) -> Result<(), LicenseError> {
        let topic = change.action.clone();
        let tx = self.core.db.begin().await?;
        store::put(&tx, store::ROOTS, &state.roots, self.core.clock.now()).await?;
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.replace(state);
        self.core.events.publish(NewEvent::new(topic, "license:read", json!({})));
        Ok(())
    }

    /// Note that time has come this far, and let everybody decide again.
    pub async fn tick(&self) -> Result<(), LicenseError> {
        let _writing = self.writing.lock().await;
        let mut state = self.state();
        let before = state.floor.clone();
        state.floor.observe_run(self.core.clock.now());
        if state.floor != before {
            store::put(self.core.db.write(), store::FLOOR, &state.floor, self.core.clock.now()).await?;
        }
        self.replace(state);
        Ok(())
    }
}

impl MachineLimit for License {
    fn admits(&self, approved: u64) -> futures_util::future::BoxFuture<'_, Result<(), LimitReached>> {
        Box::pin(async move { Self::admits(self, approved) })
    }
}
