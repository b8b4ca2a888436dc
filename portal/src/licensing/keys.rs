//! The portal's keys, reached only through [`license_issuer::Signer`].

use std::{path::Path, sync::Arc};

use anyhow::Context;
use chrono::{DateTime, Utc};
use license_issuer::{Credential, FileSigner};
use licenses::{Claims, License};
use trust::{RevocationBody, TrustStore, UnverifiedRevocationList};

use super::LicensingError;
use crate::config::LicensesConfig;

/// The keys that sign licences and revocation lists, and the roots that hosts believe. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    licenses: Arc<Credential>,
    revocations: Arc<Credential>,
    trust: Arc<TrustStore>,
}

impl Keys {
    /// Open the configured keys, and see that hosts of this build would believe what they sign.
    pub fn open(config: &LicensesConfig, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let licenses = match config.key_file.as_str() {
            "" => development::licenses()?,
            key => open(key, &config.certificate_file)?,
        };
        let revocations = match config.revocation_key_file.as_str() {
            "" => development::revocations()?,
            key => open(key, &config.revocation_certificate_file)?,
        };
        let keys = Self::new(licenses, revocations, TrustStore::built_in());
        keys.check(now).context("hosts would refuse what the configured keys sign")?;
        Ok(keys)
    }

    /// These keys; for tests and for keys that are not in files.
    pub fn new(licenses: Credential, revocations: Credential, trust: TrustStore) -> Self {
        Self { licenses: Arc::new(licenses), revocations: Arc::new(revocations), trust: Arc::new(trust) }
    }

    /// The roots that hosts believe.
    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// Sign a licence, off the async threads: a key may be far away.
    pub async fn license(&self, claims: Claims) -> Result<String, LicensingError> {
        let credential = self.licenses.clone();
        let signed = tokio::task::spawn_blocking(move || credential.issue_license(&claims)).await;
        Ok(signed.map_err(|e| LicensingError::Interrupted(e.to_string()))??)
    }

    /// Sign a revocation list.
    pub async fn revocations(&self, body: RevocationBody) -> Result<String, LicensingError> {
        let credential = self.revocations.clone();
        let signed = tokio::task::spawn_blocking(move || credential.issue_revocations(&body)).await;
        Ok(signed.map_err(|e| LicensingError::Interrupted(e.to_string()))??)
    }

    fn check(&self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let probe = Claims {
            format: Claims::FORMAT,
            id: "probe".into(),
            customer: "probe".into(),
            organisation: "probe".into(),
            tier: "probe".into(),
            engines: vec![licenses::EngineGrant { id: "probe".into(), versions: semver::VersionReq::STAR }],
            hosts: Some(0),
            child_hosts: None,
            iat: now,
            nbf: now,
            exp: None,
            grace_days: 0,
            offline_days: None,
            support_until: None,
            instance: None,
            trial: true,
            resets_clock: false,
        };
        let token = self.licenses.issue_license(&probe)?;
        License::verify(&token, &self.trust).context("licenses.key_file")?;
        let list = self.revocations.issue_revocations(&RevocationBody::empty(0, now))?;
        UnverifiedRevocationList::parse(&list)?
            .verify(&self.trust)
            .context("licenses.revocation_key_file")?;
        Ok(())
    }
}

fn open(key: &str, certificates: &str) -> anyhow::Result<Credential> {
    let signer = FileSigner::open(Path::new(key))?;
    let text =
        std::fs::read_to_string(certificates).with_context(|| format!("cannot read {certificates}"))?;
    let chain = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
    Ok(Credential::new(signer, chain)?)
}

/// The development keys are in the repository for everybody to see; a release build has none.
#[cfg(debug_assertions)]
mod development {
    use license_issuer::{Credential, development};

    pub(super) fn licenses() -> anyhow::Result<Credential> {
        tracing::warn!("licences are signed with the development key: only debug builds believe them");
        Ok(development::license_signer())
    }

    pub(super) fn revocations() -> anyhow::Result<Credential> {
        Ok(development::revocation_signer())
    }
}

#[cfg(not(debug_assertions))]
mod development {
    use license_issuer::Credential;

    pub(super) fn licenses() -> anyhow::Result<Credential> {
        anyhow::bail!(
            "set licenses.key_file and licenses.certificate_file: this build has no development keys"
        )
    }

    pub(super) fn revocations() -> anyhow::Result<Credential> {
        anyhow::bail!("set licenses.revocation_key_file and licenses.revocation_certificate_file")
    }
}
