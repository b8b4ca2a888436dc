//! What the host holds to decide: licences, revocations, roots, the floor of time, its own key.

use std::sync::Arc;

use chrono::{DateTime, Utc};
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

/// Everything a decision rests on. Replaced as a whole, read without waiting.
#[derive(Clone)]
pub(super) struct State {
    pub trust: Arc<TrustStore>,
    pub licenses: Arc<LicenseSet>,
    pub roots: Vec<ThirdPartyRoot>,
    pub floor: ClockFloor,
    pub key: Arc<InstanceKey>,
    pub key_id: KeyId,
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
            last_contact: self.trust.revocations().newest(),
        }
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
