//! The revocation lists in force, and what they say of a certificate, a licence, an engine.

use crate::{Error, Realm, RevocationList, VerifiedSigner};
use chrono::{DateTime, Utc};
use semver::{Version, VersionReq};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What applying a list did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is in force now.
    Replaced,
    /// It was in force already.
    Unchanged,
}

/// What the lists say of one version of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineStanding {
    /// Nothing against it.
    Good,
    /// It must not run.
    Killed {
        /// The list's reason.
        reason: String,
    },
    /// It is older than the lowest good version: it must not be installed or started.
    BelowLowestGood {
        /// The lowest version that may.
        lowest: Version,
    },
}

/// The newest verified list of every realm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocations(BTreeMap<Realm, Arc<RevocationList>>);

impl Revocations {
    /// Put a verified list in force.
    ///
    /// # Errors
    /// [`Error::OlderRevocationList`], [`Error::ConflictingRevocationList`].
    pub(crate) fn replace(&mut self, list: RevocationList) -> Result<Applied, Error> {
        if let Some(current) = self.0.get(list.realm()) {
            let (current_no, found) = (current.body().sequence, list.body().sequence);
            if found < current_no {
                return Err(Error::OlderRevocationList { current: current_no, found });
            }
            if found == current_no && current.body() != list.body() {
                return Err(Error::ConflictingRevocationList(found));
            }
            if found == current_no {
                return Ok(Applied::Unchanged);
            }
        }
        self.0.insert(list.realm().clone(), Arc::new(list));
        Ok(Applied::Replaced)
    }

    /// The lists in force as one text: keep it, and give it to [`crate::TrustStore::apply_revocations`] after a restart.
    pub fn to_text(&self) -> String {
        RevocationList::join(self.lists())
    }

    /// Whether there is no list at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every list in force.
    pub fn lists(&self) -> impl Iterator<Item = &RevocationList> {
        self.0.values().map(Arc::as_ref)
    }

    /// Number of the list in force for `realm`.
    pub fn sequence(&self, realm: &Realm) -> Option<u64> {
        self.0.get(realm).map(|list| list.body().sequence)
    }

    /// The date of the vendor's list: time has been there. A third party's date does not count, for it could stop every
    /// engine by naming a year to come.
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        self.0.get(&Realm::vendor()).map(|list| list.body().issued_at)
    }

    /// Whether every certificate of the signer's chain is still believed.
    ///
    /// # Errors
    /// [`Error::RevokedCertificate`].
    pub fn check_signer(&self, signer: &VerifiedSigner) -> Result<(), Error> {
        let reason = self
            .reaching(&signer.realm)
            .find_map(|list| signer.links().find_map(|(serial, key)| list.certificate(serial, key)));
        match reason {
            None => Ok(()),
            Some(reason) => {
                Err(Error::RevokedCertificate { subject: signer.subject.clone(), reason: reason.to_owned() })
            }
        }
    }

    /// Why the licence `id` of `realm` was revoked, if it was.
    pub fn license<'a>(&'a self, realm: &Realm, id: &str) -> Option<&'a str> {
        self.reaching(realm).find_map(|list| list.license(id))
    }

    /// What the lists say of a version of an engine. A pre-release counts as the version it leads to.
    pub fn engine(&self, engine: &str, version: &Version) -> EngineStanding {
        let killed = self
            .0
            .values()
            .flat_map(|list| &list.body().engines)
            .find(|entry| entry.engine == engine && version_matches(&entry.versions, version));
        if let Some(entry) = killed {
            return EngineStanding::Killed { reason: entry.reason.clone() };
        }
        match self.lowest_good(engine) {
            Some(lowest) if version < lowest => EngineStanding::BelowLowestGood { lowest: lowest.clone() },
            _ => EngineStanding::Good,
        }
    }

    /// The lowest good version of an engine, when a list names one.
    pub fn lowest_good(&self, engine: &str) -> Option<&Version> {
        let entries = self.0.values().flat_map(|list| &list.body().lowest_good);
        entries.filter(|entry| entry.engine == engine).map(|entry| &entry.version).max()
    }

    /// The lists that have a say in `realm`: its own and the vendor's.
    fn reaching<'a, 'r>(
        &'a self,
        realm: &'r Realm,
    ) -> impl Iterator<Item = &'a RevocationList> + use<'a, 'r> {
        self.lists().filter(move |list| list.realm() == realm || list.realm().is_vendor())
    }
}

/// Whether `version` meets `requirement`, where a pre-release or a build counts as the version it leads to: a requirement
/// `^1` speaks of 1.3.0-beta.2 too, which plain semver denies.
pub fn version_matches(requirement: &VersionReq, version: &Version) -> bool {
    let release = Version::new(version.major, version.minor, version.patch);
    requirement.matches(version) || requirement.matches(&release)
}
