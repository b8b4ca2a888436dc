//! What the host holds to decide: licences, revocations, roots, the floor of time, its own key.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use licenses::{Circumstances, ClockFloor, Decision, EngineBuild, InstanceKey, LicenseSet, Limits};
use serde::{Deserialize, Serialize};
use trust::{KeyId, Namespace, PublicKey, Root, TrustStore};

use super::store;
use crate::db::Db;

/// A root that an administrator added, confined to its engines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ThirdPartyRoot {
    /// Name of the realm: lower-case letters, digits and `_`.
    pub name: String,
    /// Public key, text form.
    pub key: String,
    /// Engine ids it may sign, `acme_*` allowed, never `*`.
    pub engines: Vec<String>,
}

impl ThirdPartyRoot {
    /// As the trust store wants it.
    pub fn to_root(&self) -> Result<Root, trust::Error> {
        let key: PublicKey = self.key.parse()?;
        Root::third_party(&self.name, key, Namespace::new(self.engines.iter().cloned())?)
    }
}

/// How long the host may be without contact to the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OfflineLimit {
    /// Days that the licence allows.
    pub days: u16,
    /// When they are over.
    pub until: DateTime<Utc>,
}

/// Everything a decision rests on. Replaced as a whole, read without waiting.
#[derive(Clone)]
pub(super) struct State {
    pub trust: Arc<TrustStore>,
    pub licenses: Arc<LicenseSet>,
    pub roots: Vec<ThirdPartyRoot>,
    pub floor: ClockFloor,
    pub key: Arc<InstanceKey>,
    pub key_id: KeyId,
    /// When the portal last answered and proved that it is the portal.
    pub last_contact: Option<DateTime<Utc>>,
}

impl State {
    /// Read what was kept. What no longer verifies is left out, and said in the log. `newest_record` raises the floor of
    /// time, so that restoring or editing the kept floor gains nothing; before the licences, for one may void it.
    pub async fn load(
        db: &Db,
        key: Arc<InstanceKey>,
        newest_record: Option<DateTime<Utc>>,
    ) -> anyhow::Result<Self> {
        let roots: Vec<ThirdPartyRoot> = store::get(db.read(), store::ROOTS).await?;
        let trust = trust_store(&roots, &store::get::<String>(db.read(), store::REVOCATIONS).await?);
        let tokens: Vec<String> = store::get(db.read(), store::TOKENS).await?;
        let (licenses, refusals) = LicenseSet::restore(tokens.iter().map(String::as_str), &trust);
        for refusal in refusals {
            tracing::warn!(%refusal, "a licence that was installed is refused now");
        }
        let mut floor: ClockFloor = store::get(db.read(), store::FLOOR).await?;
        newest_record.into_iter().for_each(|at| floor.observe_record(at));
        licenses.iter().for_each(|l| floor.learn(l));
        trust.revocations().newest().into_iter().for_each(|at| floor.observe_signed(at));
        Ok(Self {
            key_id: key.public_key().id(),
            trust: Arc::new(trust),
            licenses: Arc::new(licenses),
            roots,
            floor,
            key,
            last_contact: store::get(db.read(), store::CONTACT).await?,
        })
    }

    /// What a decision rests on, now.
    pub fn circumstances(&self, now: DateTime<Utc>) -> Circumstances<'_> {
        Circumstances {
            licenses: &self.licenses,
            revocations: self.trust.revocations(),
            now,
            floor: &self.floor,
            instance: Some(&self.key_id),
            last_contact: self.contact(),
        }
    }

    /// When the portal was last heard, by what it signed.
    pub fn contact(&self) -> Option<DateTime<Utc>> {
        self.last_contact.max(self.trust.revocations().newest())
    }

    /// The licence that soonest stops allowing to be without contact.
    pub fn offline(&self) -> Option<OfflineLimit> {
        let limits = self.licenses.iter().filter_map(|license| {
            let (claims, days) = (license.claims(), license.claims().offline_days?);
            let heard = self.contact().map_or(claims.iat, |at| at.max(claims.iat));
            Some(OfflineLimit { days, until: heard.checked_add_signed(TimeDelta::days(days.into()))? })
        });
        limits.min_by_key(|limit| limit.until)
    }

    pub fn decide(&self, build: &EngineBuild, now: DateTime<Utc>) -> Decision {
        licenses::decide(build, &self.circumstances(now))
    }

    pub fn limits(&self, now: DateTime<Utc>) -> Limits {
        self.licenses.limits(self.trust.revocations(), self.floor.effective(now), Some(&self.key_id))
    }
}

/// The compiled-in roots, those that administrators added, and the lists in force.
pub(super) fn trust_store(roots: &[ThirdPartyRoot], revocations: &str) -> TrustStore {
    let mut trust = TrustStore::built_in();
    for root in roots {
        if let Err(error) = root.to_root().and_then(|r| trust.add_root(r)) {
            tracing::warn!(root = %root.name, %error, "a third-party root is refused now");
        }
    }
    if !revocations.is_empty() {
        for error in trust.restore_revocations(revocations) {
            tracing::warn!(%error, "a revocation list that was in force is refused now");
        }
    }
    trust
}
