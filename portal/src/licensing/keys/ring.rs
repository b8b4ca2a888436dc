//! The keys of a configuration: opened, tried out, chosen from, and listed.

use std::{path::Path, sync::Arc};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Duration, Utc};
use license_issuer::{Credential, FileSigner, Signer};
use serde::Serialize;
use trust::{Certificate, KeyId, Kind, TrustStore, Usage};

use crate::config::{KeyConfig, KeyUse, LicensesConfig, Pkcs11Config};

/// A key with what its certificate says.
struct Held {
    usage: Usage,
    source: String,
    credential: Arc<Credential>,
    certificate: Certificate,
    /// The first end of its certificates.
    not_after: DateTime<Utc>,
}

/// Every key that is configured.
pub struct Ring {
    held: Vec<Held>,
    warn: Duration,
}

/// How a key stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It signs now.
    Signs,
    /// It could sign, and a newer one does.
    Valid,
    /// It begins later.
    NotYetValid,
    /// Its certificate has ended. What it signed stays good.
    Ended,
    /// Hosts do not believe it.
    Refused(String),
}

/// A key, without its secret.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KeyView {
    /// What it signs.
    #[schema(value_type = String)]
    pub usage: Usage,
    /// Id of the key.
    #[schema(value_type = String)]
    pub key: KeyId,
    /// Whom the certificate names.
    pub subject: String,
    /// Serial of the certificate.
    pub serial: String,
    /// Where it comes from: never the key itself.
    pub source: String,
    /// First moment of the certificate.
    pub not_before: DateTime<Utc>,
    /// First end of the certificates in its chain.
    pub not_after: DateTime<Utc>,
    /// How it stands.
    pub state: KeyState,
    /// What to do about it soon.
    pub warning: Option<String>,
}

/// What each use must have a key for.
const USES: [(KeyUse, Usage); 3] = [
    (KeyUse::License, Usage::License),
    (KeyUse::Revocation, Usage::Revocation),
    (KeyUse::Portal, Usage::Portal),
];

impl Ring {
    /// Open every configured key and let it sign something; for each use one must be valid now.
    pub fn open(config: &LicensesConfig, trust: &TrustStore, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let mut held = Vec::new();
        for (of, usage) in USES {
            let mut any = false;
            for key in config.keys_of(of) {
                any = true;
                held.push(Held::try_out(usage, key.source(), open(&key)?, trust, now)?);
            }
            if !any {
                let credential = development::credential(of)?;
                held.push(Held::try_out(usage, "development key".into(), credential, trust, now)?);
            }
        }
        let ring = Self { held, warn: Duration::days(config.warn_days.into()) };
        for (of, usage) in USES {
            if ring.newest(trust, usage, now).is_none() {
                bail!(
                    "no key for `{}` has a certificate that is valid now and that hosts believe; \
                     add one as [[licenses.keys]] with use = \"{}\"",
                    usage,
                    of.name()
                );
            }
        }
        Ok(ring)
    }

    /// The newest key for a use whose certificates are valid at a moment.
    pub(super) fn newest(
        &self,
        trust: &TrustStore,
        usage: Usage,
        at: DateTime<Utc>,
    ) -> Option<Arc<Credential>> {
        self.signing(trust, usage, at).map(|held| held.credential.clone())
    }

    fn signing(&self, trust: &TrustStore, usage: Usage, at: DateTime<Utc>) -> Option<&Held> {
        let valid = self.held.iter().filter(|held| {
            held.usage == usage && trust.verify_chain(held.credential.chain(), usage, at).is_ok()
        });
        valid.max_by_key(|held| held.certificate.body().not_before)
    }

    pub(super) fn list(&self, trust: &TrustStore, now: DateTime<Utc>) -> Vec<KeyView> {
        self.held.iter().map(|held| self.view(held, trust, now)).collect()
    }

    fn view(&self, held: &Held, trust: &TrustStore, now: DateTime<Utc>) -> KeyView {
        let body = held.certificate.body();
        let signs = self.signing(trust, held.usage, now).is_some_and(|other| std::ptr::eq(other, held));
        let state = match trust.verify_chain(held.credential.chain(), held.usage, now) {
            Ok(_) if signs => KeyState::Signs,
            Ok(_) => KeyState::Valid,
            Err(trust::Error::NotYetValid { .. }) => KeyState::NotYetValid,
            Err(trust::Error::ExpiredCertificate { .. }) => KeyState::Ended,
            Err(error) => KeyState::Refused(error.to_string()),
        };
        // What matters is the last day on which anything can sign.
        let soon = signs && {
            let then = now + self.warn;
            self.signing(trust, held.usage, then).is_none()
        };
        let warning = soon.then(|| {
            let day = held.not_after.format("%Y-%m-%d");
            format!("Its certificate ends on {day}, and no other key goes on from there: add one.")
        });
        KeyView {
            usage: held.usage,
            key: held.credential.key_id(),
            subject: body.subject.clone(),
            serial: body.serial.clone(),
            source: held.source.clone(),
            not_before: body.not_before,
            not_after: held.not_after,
            state,
            warning,
        }
    }
}

impl Held {
    /// See that the key signs, and that its certificates are for this use, at a moment at which they are valid.
    fn try_out(
        usage: Usage,
        source: String,
        credential: Credential,
        trust: &TrustStore,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let chain = credential.chain().parse()?;
        let not_after = chain.iter().map(|c| c.body().not_after).min().unwrap_or(now);
        let not_before = chain.iter().map(|c| c.body().not_before).max().unwrap_or(now);
        let certificate = chain.into_iter().next().context("a key has a certificate")?;
        let at = now.clamp(not_before.min(not_after), not_after);
        let believed = match trust.verify_chain(credential.chain(), usage, at) {
            // A key that was revoked may stay in the configuration; it signs nothing.
            Err(error @ (trust::Error::RevokedCertificate { .. } | trust::Error::NotYetValid { .. })) => {
                tracing::warn!(key = %source, %error, "a configured key will not sign");
                None
            }
            Err(error) => {
                return Err(anyhow::Error::new(error))
                    .with_context(|| format!("hosts would refuse what the key {source} signs"));
            }
            Ok(signer) => Some(signer),
        };
        if let Some(signer) = believed {
            let signature = credential.signer().sign_document(Kind::Portal, b"probe")?;
            let fits = signer.key.verify(Kind::Portal, b"probe", &signature).is_ok();
            ensure!(fits, "the key {source} signs with another key than its certificate names");
        }
        Ok(Self { usage, source, credential: Arc::new(credential), certificate, not_after })
    }
}

fn open(key: &KeyConfig) -> anyhow::Result<Credential> {
    let signer: Box<dyn Signer> = match &key.pkcs11 {
        Some(key) => hardware(key)?,
        None => Box::new(FileSigner::open(Path::new(&key.key_file))?),
    };
    let certificates = &key.certificate_file;
    let text =
        std::fs::read_to_string(certificates).with_context(|| format!("cannot read {certificates}"))?;
    let chain = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
    Credential::new(signer, chain).with_context(|| format!("{} and {certificates} do not fit", key.source()))
}

#[cfg(feature = "pkcs11")]
fn hardware(key: &Pkcs11Config) -> anyhow::Result<Box<dyn Signer>> {
    let pin =
        std::fs::read_to_string(&key.pin_file).with_context(|| format!("cannot read {}", key.pin_file))?;
    let pin = zeroize::Zeroizing::new(pin);
    let place = license_issuer::Pkcs11Key {
        module: key.module.clone().into(),
        token: key.token.clone(),
        label: key.label.clone(),
        pin: pin.trim().to_owned().into(),
    };
    Ok(Box::new(license_issuer::Pkcs11Signer::open(place)?))
}

#[cfg(not(feature = "pkcs11"))]
fn hardware(key: &Pkcs11Config) -> anyhow::Result<Box<dyn Signer>> {
    bail!(
        "the key {}/{} is in a hardware module: build the portal with the feature `pkcs11`",
        key.token,
        key.label
    )
}

/// The development keys are in the repository for everybody to see; a release build has none.
#[cfg(any(debug_assertions, feature = "development-keys"))]
mod development {
    use license_issuer::{Credential, development};

    use crate::config::KeyUse;

    pub(super) fn credential(of: KeyUse) -> anyhow::Result<Credential> {
        Ok(match of {
            KeyUse::License => {
                tracing::warn!(
                    "licences are signed with the development key: only debug builds believe them"
                );
                development::license_signer()
            }
            KeyUse::Revocation => development::revocation_signer(),
            KeyUse::Portal => development::portal_signer(),
        })
    }
}

#[cfg(not(any(debug_assertions, feature = "development-keys")))]
mod development {
    use license_issuer::Credential;

    use crate::config::KeyUse;

    pub(super) fn credential(of: KeyUse) -> anyhow::Result<Credential> {
        let name = of.name();
        anyhow::bail!(
            "add a key as [[licenses.keys]] with use = \"{name}\": this build has no development keys"
        )
    }
}
