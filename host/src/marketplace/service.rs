//! The marketplace service: what is offered, what was seen last, and what the host does by itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak},
    time::Duration,
};

use anyhow::Context;
use chrono::{DateTime, Local, Utc};
use licenses::EngineBuild;
use plugin_runtime::Side;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Catalogue, MarketplaceError, MarketplacePolicy, Release, Source, SourceError,
    catalogue::Signed,
    model::{
        MarketEngine, MarketEngineDetail, MarketEngineList, MarketEntitlement, MarketplaceProblem,
        MarketplaceStatus,
    },
    offers::{self, Judge},
    portal::Portal,
    store,
};
use crate::{
    app::{App, Core},
    audit::Change,
    config::MarketplaceConfig,
    ctx::Ctx,
    events::NewEvent,
    keys::private_folder,
};

/// Folder of the metadata that are trusted already, in the data directory.
pub(super) const DATASTORE: &str = "catalogue";
/// How long a look at the catalogue may take.
const LOOK: Duration = Duration::from_secs(120);
/// Downloads that run at once; further ones wait.
pub(super) const AT_ONCE: usize = 2;

/// What was seen of the portal last.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    pub catalogue: Catalogue,
    pub checked_at: Option<DateTime<Utc>>,
    pub problem: Option<MarketplaceProblem>,
}

/// The marketplace service. Cheap to clone.
#[derive(Clone)]
pub struct Marketplace(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub core: Arc<Core>,
    pub app: OnceLock<Weak<App>>,
    source: RwLock<Option<Arc<dyn Source>>>,
    seen: RwLock<Arc<Seen>>,
    policy: RwLock<MarketplacePolicy>,
    /// One look at a time.
    pub looking: tokio::sync::Mutex<()>,
    /// One decision on what to download at a time.
    pub deciding: tokio::sync::Mutex<()>,
    /// Bytes that are here of the downloads that run.
    pub received: Mutex<BTreeMap<Uuid, u64>>,
    pub at_once: tokio::sync::Semaphore,
    /// The policy or the catalogue changed.
    pub wake: tokio::sync::Notify,
    /// The portal, when one is configured.
    portal: Option<Arc<Portal>>,
    /// The policy changed.
    pub contact_wake: tokio::sync::Notify,
    /// One talk with the portal at a time.
    pub talking: tokio::sync::Mutex<()>,
    /// First root of the catalogue's signatures, where there is one.
    pub root: Option<Vec<u8>>,
}

fn read<T: Clone>(lock: &RwLock<T>) -> T {
    lock.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn write<T>(lock: &RwLock<T>, value: T) {
    *lock.write().unwrap_or_else(PoisonError::into_inner) = value;
}

impl Marketplace {
    pub(super) async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let seen: Seen = store::get(core.db.read(), store::SEEN).await?.unwrap_or_default();
        let policy = store::get(core.db.read(), store::POLICY).await?.unwrap_or_default();
        let (config, keys) = (&core.config.marketplace, &core.keys);
        let root = root(config)?;
        let portal = match config.enabled && !config.url.is_empty() {
            true => Some(Arc::new(Portal::new(&config.url, keys.instance.clone(), core.clock.clone())?)),
            false => None,
        };
        let datastore = core.data_dir.join(DATASTORE);
        private_folder(&datastore)?;
        let source = portal.clone().zip(root.clone());
        let source =
            source.map(|(portal, root)| Arc::new(Signed::new(portal, root, datastore)) as Arc<dyn Source>);
        if portal.is_some() && source.is_none() {
            tracing::error!("this build knows no root of the portal's catalogue: set marketplace.root_file");
        }
        Ok(Self(Arc::new(Inner {
            portal,
            contact_wake: tokio::sync::Notify::new(),
            talking: tokio::sync::Mutex::default(),
            root,
            core,
            app: OnceLock::new(),
            source: RwLock::new(source),
            seen: RwLock::new(Arc::new(seen)),
            policy: RwLock::new(policy),
            looking: tokio::sync::Mutex::default(),
            deciding: tokio::sync::Mutex::default(),
            received: Mutex::default(),
            at_once: tokio::sync::Semaphore::new(AT_ONCE),
            wake: tokio::sync::Notify::new(),
        })))
    }

    /// Go on with what was begun before the host stopped, and do from now on what the policy says.
    pub(super) async fn begin(&self, app: &Arc<App>) -> anyhow::Result<()> {
        let _ = self.0.app.set(Arc::downgrade(app));
        self.resume().await?;
        self.0.core.tasks.spawn(self.clone().follow_policy());
        self.0.core.tasks.spawn(self.clone().keep_contact());
        Ok(())
    }

    pub(super) fn app(&self) -> Result<Arc<App>, MarketplaceError> {
        let stopping = || SourceError::new("stopping", "The host is stopping.");
        Ok(self.0.app.get().and_then(Weak::upgrade).ok_or_else(stopping)?)
    }

    /// Ask this source from now on.
    pub fn set_source(&self, source: Arc<dyn Source>) {
        write(&self.0.source, Some(source));
    }

    pub(super) fn source(&self) -> Result<Arc<dyn Source>, MarketplaceError> {
        read(&self.0.source).ok_or(MarketplaceError::NotConfigured)
    }

    pub(super) fn portal(&self) -> Result<Arc<Portal>, MarketplaceError> {
        self.0.portal.clone().ok_or(MarketplaceError::NotConfigured)
    }

    pub(super) fn seen(&self) -> Arc<Seen> {
        read(&self.0.seen)
    }

    /// What the host does by itself.
    pub(super) fn policy(&self) -> MarketplacePolicy {
        read(&self.0.policy)
    }

    /// What the host knows of its portal.
    ///
    /// # Errors
    /// [`MarketplaceError::Forbidden`].
    pub async fn status(&self, ctx: &Ctx) -> Result<MarketplaceStatus, MarketplaceError> {
        ctx.require("engines:read")?;
        let (seen, policy, config) = (self.seen(), self.policy(), &self.0.core.config.marketplace);
        let app = self.app()?;
        let updates = self.offers().await?.iter().filter(|o| o.engine.update_available).count();
        Ok(MarketplaceStatus {
            enabled: config.enabled,
            configured: !config.url.is_empty(),
            url: Some(config.url.clone()).filter(|url| !url.is_empty()),
            checked_at: seen.checked_at,
            expires_at: seen.catalogue.expires_at,
            problem: seen.problem.clone(),
            broken: seen.catalogue.broken.clone(),
            next_window: policy.next_window(self.0.core.clock.now(), &Local),
            policy,
            updates,
            contact: self.contact_status().await?,
            offline: app.license.offline_limit(),
        })
    }

    /// Decide what the host does by itself.
    ///
    /// # Errors
    /// [`MarketplaceError::Invalid`].
    pub async fn set_policy(&self, ctx: &Ctx, policy: MarketplacePolicy) -> Result<(), MarketplaceError> {
        ctx.require("engines:manage")?;
        if let Some((field, why)) = policy.fault() {
            return Err(MarketplaceError::Invalid(field, why.into()));
        }
        let _deciding = self.0.deciding.lock().await;
        let (core, before) = (&self.0.core, self.policy());
        let tx = core.db.begin().await?;
        store::put(&tx, store::POLICY, &policy, core.clock.now()).await?;
        let change = Change::new("marketplace.policy_changed", "marketplace", "policy");
        core.audit.record_in(ctx, &tx, change.before(&before).after(&policy)).await?;
        tx.commit().await?;
        write(&self.0.policy, policy.clone());
        core.events.publish(NewEvent::new("marketplace.policy_changed", "engines:read", json!(policy)));
        self.0.wake.notify_one();
        self.0.contact_wake.notify_one();
        Ok(())
    }

    /// Look at the portal's catalogue now.
    ///
    /// # Errors
    /// [`MarketplaceError::NotConfigured`], [`MarketplaceError::Source`]: then what was seen before holds.
    pub async fn refresh(&self, ctx: &Ctx) -> Result<(), MarketplaceError> {
        ctx.require("engines:install")?;
        let source = self.source()?;
        let _looking = self.0.looking.lock().await;
        let app = self.app()?;
        let looked = tokio::time::timeout(LOOK, source.refresh(app.license.effective_now())).await;
        let slow = || SourceError::passing("portal_slow", "The portal did not answer in time.");
        match looked.unwrap_or_else(|_| Err(slow())) {
            Ok(catalogue) => self.take_catalogue(ctx, catalogue).await,
            Err(error) => {
                let problem = self.problem(&error);
                tracing::warn!(code = %error.code, %error, "the portal's catalogue was not taken");
                let seen = Seen { problem: Some(problem), ..(*self.seen()).clone() };
                self.keep_seen(seen).await?;
                Err(error.into())
            }
        }
    }

    /// Put a verified catalogue in force.
    pub(super) async fn take_catalogue(
        &self,
        ctx: &Ctx,
        catalogue: Catalogue,
    ) -> Result<(), MarketplaceError> {
        let app = self.app()?;
        if let Some(list) = &catalogue.revocations
            && let Err(error) = app.license.take_revocations(&Ctx::job("marketplace"), list).await
        {
            tracing::warn!(%error, "the catalogue's revocation list was not taken");
        }
        tracing::info!(releases = catalogue.releases.len(), actor = %ctx.actor, "the portal's catalogue was taken");
        let now = self.0.core.clock.now();
        self.keep_seen(Seen { catalogue, checked_at: Some(now), problem: None }).await
    }

    async fn keep_seen(&self, seen: Seen) -> Result<(), MarketplaceError> {
        let core = &self.0.core;
        store::put(core.db.write(), store::SEEN, &seen, core.clock.now()).await?;
        let problem = seen.problem.clone();
        write(&self.0.seen, Arc::new(seen));
        let offers = self.offers().await?;
        let updates = offers.iter().filter(|o| o.engine.update_available).map(|o| &o.engine.id);
        let updates: Vec<_> = updates.collect();
        figures(&self.seen(), updates.len());
        let data = json!({"problem": problem, "updates": updates});
        core.events.publish(NewEvent::new("marketplace.refreshed", "engines:read", data));
        if problem.is_none() {
            self.tell_news(&offers).await?;
            self.0.wake.notify_one();
        }
        Ok(())
    }

    pub(super) fn problem(&self, error: &SourceError) -> MarketplaceProblem {
        MarketplaceProblem {
            code: error.code.clone(),
            reason: error.reason.clone(),
            detail: error.detail.clone(),
            at: self.0.core.clock.now(),
        }
    }

    /// Every engine that the portal offers.
    ///
    /// # Errors
    /// [`MarketplaceError::Forbidden`].
    pub async fn list(&self, ctx: &Ctx) -> Result<MarketEngineList, MarketplaceError> {
        ctx.require("engines:read")?;
        let items: Vec<MarketEngine> = self.offers().await?.into_iter().map(|o| o.engine).collect();
        Ok(MarketEngineList { items })
    }

    /// One engine with its versions.
    ///
    /// # Errors
    /// [`MarketplaceError::UnknownEngine`].
    pub async fn get(&self, ctx: &Ctx, id: &str) -> Result<MarketEngineDetail, MarketplaceError> {
        ctx.require("engines:read")?;
        let found = self.offers().await?.into_iter().find(|o| o.engine.id == id);
        found.ok_or_else(|| MarketplaceError::UnknownEngine(id.into()))
    }

    /// What the catalogue means for this host now.
    pub(super) async fn offers(&self) -> Result<Vec<MarketEngineDetail>, MarketplaceError> {
        let (app, seen) = (self.app()?, self.seen());
        let stored = app.engines.stored().await?;
        let trust = app.license.trust();
        let entitled = |release: &Release| entitlement(&app, release);
        let judge = Judge {
            side: Side::Host(host_version()),
            revocations: trust.revocations(),
            channel: self.policy().channel,
            entitled: &entitled,
        };
        Ok(offers::engines(&seen.catalogue, &judge, &stored))
    }
}

/// What `/metrics` says of the portal.
#[allow(clippy::cast_precision_loss)] // Seconds since 1970 and small numbers are exact in a float.
fn figures(seen: &Seen, updates: usize) {
    metrics::gauge!("sysmanage_marketplace_updates").set(updates as f64);
    metrics::gauge!("sysmanage_marketplace_failing").set(f64::from(u8::from(seen.problem.is_some())));
    if let Some(at) = seen.checked_at {
        metrics::gauge!("sysmanage_marketplace_checked_timestamp_seconds").set(at.timestamp() as f64);
    }
}

/// The first root: of the configured file, or the one that was built in.
fn root(config: &MarketplaceConfig) -> anyhow::Result<Option<Vec<u8>>> {
    if config.root_file.is_empty() {
        return Ok(distribution::built_in_root().map(<[u8]>::to_vec));
    }
    let read = std::fs::read(&config.root_file);
    read.map(Some).with_context(|| format!("marketplace.root_file: {} cannot be read", config.root_file))
}

/// This host's version.
fn host_version() -> semver::Version {
    semver::Version::parse(env!("CARGO_PKG_VERSION")).expect("a crate's version is a version")
}

/// The build that the licence is asked about; `None` for an engine that needs none.
pub(super) fn build_of(release: &Release) -> Option<EngineBuild> {
    let engine = release.entitlement.clone()?;
    Some(EngineBuild::new(engine, release.version.clone(), release.built_at))
}

fn entitlement(app: &App, release: &Release) -> MarketEntitlement {
    let Some(build) = build_of(release) else {
        return MarketEntitlement { state: "granted".into(), reason: "granted".into(), unlocks: None };
    };
    let decision = app.license.decide(&build);
    MarketEntitlement {
        state: decision.entitlement.state().into(),
        reason: decision.code().into(),
        unlocks: decision.unlocks(&build),
    }
}
