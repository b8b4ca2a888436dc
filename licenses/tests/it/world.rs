//! A host's licence state in one value, and licences made to order.

use chrono::{DateTime, Duration, Utc};
use license_issuer::development;
use licenses::{Circumstances, Claims, ClockFloor, Decision, EngineBuild, LicenseSet, decide};
use trust::{KeyId, RevocationBody, RevokedLicense, TrustStore};

pub const ENGINE: &str = "automation_engine";

pub fn date(text: &str) -> DateTime<Utc> {
    format!("{text}T00:00:00Z").parse().unwrap()
}

/// The day on which these tests begin; licences made by [`claims`] run from here for a year.
pub fn start() -> DateTime<Utc> {
    date("2026-06-01")
}

pub fn days(count: i64) -> Duration {
    Duration::days(count)
}

/// Claims of a licence for the engine: a year from the start, 14 days of grace.
pub fn claims(change: impl FnOnce(&mut Claims)) -> Claims {
    let mut claims = development::claims(&[ENGINE], start());
    change(&mut claims);
    claims
}

pub fn mint(claims: &Claims) -> String {
    development::license_signer().issue_license(claims).unwrap()
}

pub fn build(version: &str, built_at: &str) -> EngineBuild {
    EngineBuild::new(ENGINE, version.parse().unwrap(), date(built_at))
}

/// A host: its licences, its lists, its clock.
pub struct Host {
    pub store: TrustStore,
    pub licenses: LicenseSet,
    pub floor: ClockFloor,
    pub now: DateTime<Utc>,
    pub instance: Option<KeyId>,
    pub last_contact: Option<DateTime<Utc>>,
}

impl Host {
    /// A host on the first day, without a licence.
    pub fn new() -> Self {
        Self {
            store: TrustStore::built_in(),
            licenses: LicenseSet::default(),
            floor: ClockFloor::default(),
            now: start(),
            instance: None,
            last_contact: None,
        }
    }

    /// A host on the first day with a licence.
    pub fn with(change: impl FnOnce(&mut Claims)) -> Self {
        let mut host = Self::new();
        host.install(&claims(change));
        host
    }

    /// Install a licence whatever it says, as after a restart.
    pub fn install(&mut self, claims: &Claims) {
        let mut tokens = self.licenses.tokens();
        tokens.push(mint(claims));
        let (set, refusals) = LicenseSet::restore(tokens.iter().map(String::as_str), &self.store);
        assert_eq!(refusals, Vec::new());
        self.licenses = set;
        self.licenses.iter().for_each(|license| self.floor.learn(license));
    }

    pub fn revoke(&mut self, ids: &[String], sequence: u64) {
        let mut body = RevocationBody::empty(sequence, start());
        body.licenses =
            ids.iter().map(|id| RevokedLicense { id: id.clone(), reason: "unpaid".to_owned() }).collect();
        let text = development::revocation_signer().issue_revocations(&body).unwrap();
        self.store.apply_revocations(&text).unwrap();
    }

    pub fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            licenses: &self.licenses,
            revocations: self.store.revocations(),
            now: self.now,
            floor: &self.floor,
            instance: self.instance.as_ref(),
            last_contact: self.last_contact,
        }
    }

    pub fn decide(&self, build: &EngineBuild) -> Decision {
        decide(build, &self.circumstances())
    }

    /// The code for version 1.0.0, built on the first day, when the clock says `now`.
    pub fn code_at(&self, now: DateTime<Utc>) -> &'static str {
        decide(&build("1.0.0", "2026-06-01"), &Circumstances { now, ..self.circumstances() }).code()
    }
}
