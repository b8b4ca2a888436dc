//! All licences of a host.

use crate::{Error, License, Limits};
use chrono::{DateTime, Utc};
use trust::{KeyId, Revocations, TrustStore};

/// What installing a licence did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// A licence that was not there.
    New,
    /// A newer edition took the place of the one with the same id.
    Renewed,
    /// It was there already.
    Unchanged,
}

/// Verified licences, one for each id. The host stores [`LicenseSet::tokens`] and gives them to [`LicenseSet::restore`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicenseSet(Vec<License>);

impl LicenseSet {
    /// Most licences in a set.
    pub const MAX: usize = 64;

    /// Verify and keep a token. `instance` is the id of this host's key.
    ///
    /// # Errors
    /// Every refusal; then nothing has changed.
    pub fn install(
        &mut self,
        token: &str,
        store: &TrustStore,
        instance: Option<&KeyId>,
    ) -> Result<Installed, Error> {
        let license = License::verify(token, store)?;
        if let Some(reason) = license.revoked(store.revocations()) {
            return Err(Error::Revoked(reason));
        }
        if !is_for(&license, instance) {
            return Err(Error::WrongInstance);
        }
        self.keep(license)
    }

    /// Read stored tokens. What no longer verifies is left out and told, so that a host starts with all that is still good.
    /// Revoked and foreign ones are kept: [`crate::decide`] says what they are.
    pub fn restore<'a>(tokens: impl IntoIterator<Item = &'a str>, store: &TrustStore) -> (Self, Vec<Error>) {
        let mut set = Self::default();
        let kept = tokens.into_iter().map(|token| set.keep(License::verify(token, store)?));
        let refusals = kept.filter_map(Result::err).collect();
        (set, refusals)
    }

    fn keep(&mut self, license: License) -> Result<Installed, Error> {
        let same = |known: &License| {
            known.claims().id == license.claims().id && known.signer().realm == license.signer().realm
        };
        let Some(at) = self.0.iter().position(same) else {
            if self.0.len() >= Self::MAX {
                return Err(Error::TooManyLicenses(Self::MAX));
            }
            self.0.push(license);
            return Ok(Installed::New);
        };
        match &mut self.0[at] {
            known if known.claims() == license.claims() => Ok(Installed::Unchanged),
            known if known.claims().iat >= license.claims().iat => {
                Err(Error::OlderLicense(known.claims().iat))
            }
            known => {
                *known = license;
                Ok(Installed::Renewed)
            }
        }
    }

    /// Take a licence out. Whether there was one.
    pub fn remove(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|license| license.claims().id != id);
        self.0.len() < before
    }

    /// Every licence.
    pub fn iter(&self) -> impl Iterator<Item = &License> {
        self.0.iter()
    }

    /// The licence with this id.
    pub fn get(&self, id: &str) -> Option<&License> {
        self.iter().find(|license| license.claims().id == id)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens: what to store, and what to prove to an engine.
    pub fn tokens(&self) -> Vec<String> {
        self.iter().map(|license| license.token().to_owned()).collect()
    }

    /// How many machines may be approved. See [`Limits`].
    pub fn limits(&self, revocations: &Revocations, now: DateTime<Utc>, instance: Option<&KeyId>) -> Limits {
        let counts = |license: &&License| {
            license.signer().realm.is_vendor()
                && license.revoked(revocations).is_none()
                && is_for(license, instance)
                && license.claims().nbf <= now
        };
        let in_force = |license: &&License| license.claims().grace_until().is_none_or(|end| now < end);
        let counting = || self.iter().filter(counts);
        match Limits::greatest(counting().filter(in_force)) {
            Some(limits) => limits,
            None => Limits::greatest(counting()).unwrap_or_default(),
        }
    }
}

/// Whether a licence is for this instance, or for any.
pub(crate) fn is_for(license: &License, instance: Option<&KeyId>) -> bool {
    license.claims().instance.as_ref().is_none_or(|bound| Some(bound) == instance)
}
