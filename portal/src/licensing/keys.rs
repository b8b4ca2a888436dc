//! The portal's keys, reached only through [`license_issuer::Signer`].
//!
//! For each use there may be several: the newest whose certificates are valid at the moment that a document carries signs it.
//! A document brings its certificates along, so what an older key signed stays good as long as nobody revokes that key.
//! [`Keys::replace`] puts another ring in the place of this one between two signatures: nothing waits, and nothing fails.

mod ring;

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use license_issuer::{Credential, SignError};
use licenses::{Claims, receipt::Receipt};
use trust::{RevocationBody, TrustStore, UnverifiedRevocationList, Usage};

pub use ring::{KeyState, KeyView, Ring};

use super::LicensingError;
use crate::config::LicensesConfig;

/// The keys that sign, and the roots that hosts believe. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    ring: Arc<RwLock<Arc<Ring>>>,
    trust: Arc<TrustStore>,
}

impl Keys {
    /// Open the configured keys, and see that hosts of this build would believe what they sign.
    pub fn open(config: &LicensesConfig, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let trust = TrustStore::built_in();
        let ring = Ring::open(config, &trust, now)?;
        Ok(Self { ring: Arc::new(RwLock::new(Arc::new(ring))), trust: Arc::new(trust) })
    }

    /// Open the configured keys anew and sign with them from now on. Where one is refused, those in use stay.
    pub fn reload(&self, config: &LicensesConfig, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.replace(Ring::open(config, &self.trust, now)?);
        Ok(())
    }

    /// Sign with these keys from now on. What is being signed at this moment is signed with those before.
    pub fn replace(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The roots that hosts believe.
    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// Every key, without its secret.
    pub fn list(&self, now: DateTime<Utc>) -> Vec<KeyView> {
        self.ring().list(&self.trust, now)
    }

    /// Sign a licence.
    pub async fn license(&self, claims: Claims) -> Result<String, LicensingError> {
        self.sign(Usage::License, claims.iat, move |credential| credential.issue_license(&claims)).await
    }

    /// Sign a revocation list.
    pub async fn revocations(&self, body: RevocationBody) -> Result<String, LicensingError> {
        self.sign(Usage::Revocation, body.issued_at, move |credential| credential.issue_revocations(&body))
            .await
    }

    /// Countersign a host's usage receipt.
    pub async fn countersign(&self, receipt: Receipt, at: DateTime<Utc>) -> Result<String, LicensingError> {
        self.sign(Usage::Portal, at, move |credential| credential.countersign(&receipt, at)).await
    }

    /// Whether hosts believe a list that was signed before.
    pub fn believes(&self, list: &str) -> bool {
        UnverifiedRevocationList::parse(list).is_ok_and(|list| list.verify(&self.trust).is_ok())
    }

    /// Sign off the async threads: a key may be far away.
    async fn sign(
        &self,
        usage: Usage,
        at: DateTime<Utc>,
        work: impl FnOnce(&Credential) -> Result<String, SignError> + Send + 'static,
    ) -> Result<String, LicensingError> {
        let credential = self.ring().newest(&self.trust, usage, at).ok_or(LicensingError::NoKey(usage))?;
        let signed = tokio::task::spawn_blocking(move || work(&credential)).await;
        Ok(signed.map_err(|e| LicensingError::Interrupted(e.to_string()))??)
    }
}
