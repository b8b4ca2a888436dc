//! The one place where it is decided what may run.

use crate::claims::add_days;
use crate::set::is_for;
use crate::{ClockFloor, Entitlement, License, LicenseSet, LockReason, ReadOnlyReason};
use chrono::{DateTime, Duration, Utc};
use semver::Version;
use serde::Serialize;
use trust::{KeyId, Revocations};

/// One build of an engine, as its signed manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineBuild {
    /// The id that licences name: the manifest's entitlement id.
    pub engine: String,
    /// Its version.
    pub version: Version,
    /// When it was built, by the manifest.
    pub built_at: DateTime<Utc>,
}

impl EngineBuild {
    /// A build.
    pub fn new(engine: impl Into<String>, version: Version, built_at: DateTime<Utc>) -> Self {
        Self { engine: engine.into(), version, built_at }
    }
}

/// All that a decision rests on, beside the engine.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The licences.
    pub licenses: &'a LicenseSet,
    /// The revocation lists in force.
    pub revocations: &'a Revocations,
    /// What the clock says.
    pub now: DateTime<Utc>,
    /// The latest time ever seen.
    pub floor: &'a ClockFloor,
    /// Id of this host's key.
    pub instance: Option<&'a KeyId>,
    /// When the portal last answered; a licence's `iat` counts as contact too.
    pub last_contact: Option<DateTime<Utc>>,
}

/// The clock is behind a time that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockSetBack {
    /// What the clock says.
    pub now: DateTime<Utc>,
    /// What was seen, and is used instead.
    pub floor: DateTime<Utc>,
    /// Whether that makes the difference for this engine.
    pub decides: bool,
}

/// The answer for one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What is granted.
    #[serde(flatten)]
    pub entitlement: Entitlement,
    /// Id of the licence that says so.
    pub license: Option<String>,
    /// The time that counted.
    pub effective_at: DateTime<Utc>,
    /// Set when the clock was set back.
    pub clock_set_back: Option<ClockSetBack>,
}

impl Decision {
    /// Stable snake_case code of the reason. It is `clock_set_back` when the clock's own time would allow more.
    pub fn code(&self) -> &'static str {
        match self.clock_set_back {
            Some(ClockSetBack { decides: true, .. }) => "clock_set_back",
            _ => self.entitlement.code(),
        }
    }

    /// Whether reading and export work.
    pub fn may_read(&self) -> bool {
        self.entitlement.may_read()
    }

    /// Whether everything works.
    pub fn may_write(&self) -> bool {
        self.entitlement.may_write()
    }
}

/// A clock may be this far behind what was seen without being called set back: time services step clocks.
const CLOCK_TOLERANCE: Duration = Duration::minutes(5);

/// Decide what is granted to `build`. A pure function: the same input gives the same answer. The rules are in the crate's
/// documentation.
pub fn decide(build: &EngineBuild, circumstances: &Circumstances<'_>) -> Decision {
    let Circumstances { now, floor, .. } = *circumstances;
    let effective_at = floor.effective(now);
    let (entitlement, license) = best(build, circumstances, effective_at);
    let clock_set_back = clock_fault(circumstances).map(|fault| {
        let decides = best(build, circumstances, now).0.rank() > entitlement.rank();
        ClockSetBack { decides, ..fault }
    });
    Decision { entitlement, license, effective_at, clock_set_back }
}

/// Whether the clock is behind what was seen, before asking whether that matters to any engine.
pub(crate) fn clock_fault(circumstances: &Circumstances<'_>) -> Option<ClockSetBack> {
    let now = circumstances.now;
    let floor = circumstances.floor.effective(now);
    let behind = floor.signed_duration_since(now) > CLOCK_TOLERANCE;
    behind.then_some(ClockSetBack { now, floor, decides: false })
}

/// The best that any licence grants at `at`, and its id.
fn best(
    build: &EngineBuild,
    circumstances: &Circumstances<'_>,
    at: DateTime<Utc>,
) -> (Entitlement, Option<String>) {
    let mut found = (Entitlement::Locked { reason: LockReason::NoLicense }, None);
    for license in circumstances.licenses.iter() {
        let entitlement = judge(license, build, circumstances, at);
        if entitlement.is_better_than(&found.0) {
            found = (entitlement, Some(license.claims().id.clone()));
        }
    }
    found
}

/// What one licence grants at `at`: first what locks, then what is a matter of time.
fn judge(
    license: &License,
    build: &EngineBuild,
    circumstances: &Circumstances<'_>,
    at: DateTime<Utc>,
) -> Entitlement {
    // Whoever issued the licence has seen its date.
    let at = at.max(license.claims().iat);
    match lock(license, build, circumstances, at) {
        Some(reason) => Entitlement::Locked { reason },
        None => term(license, build, circumstances, at),
    }
}

fn lock(
    license: &License,
    build: &EngineBuild,
    circumstances: &Circumstances<'_>,
    at: DateTime<Utc>,
) -> Option<LockReason> {
    let claims = license.claims();
    let mut grants = claims.grants_of(&build.engine).peekable();
    if grants.peek().is_none() {
        return Some(LockReason::EngineNotIncluded);
    }
    if let Some(why) = license.revoked(circumstances.revocations) {
        return Some(LockReason::Revoked { why });
    }
    if !is_for(license, circumstances.instance) {
        return Some(LockReason::WrongInstance);
    }
    if !grants.any(|grant| trust::version_matches(&grant.versions, &build.version)) {
        return Some(LockReason::VersionNotIncluded {
            versions: versions(license, build),
            support_until: None,
        });
    }
    if at < claims.nbf {
        return Some(LockReason::NotYetValid { from: claims.nbf });
    }
    // Without an end, the licence is for the builds of the time that was paid for.
    if claims.exp.is_none() && claims.support_until.is_some_and(|until| build.built_at > until) {
        let support_until = claims.support_until;
        return Some(LockReason::VersionNotIncluded { versions: versions(license, build), support_until });
    }
    None
}

fn versions(license: &License, build: &EngineBuild) -> String {
    let all: Vec<String> =
        license.claims().grants_of(&build.engine).map(|grant| grant.versions.to_string()).collect();
    all.join(" or ")
}

fn term(
    license: &License,
    build: &EngineBuild,
    circumstances: &Circumstances<'_>,
    at: DateTime<Utc>,
) -> Entitlement {
    let claims = license.claims();
    if let Some(days) = claims.offline_days {
        let contact = circumstances.last_contact.map_or(claims.iat, |contact| contact.max(claims.iat));
        let since = add_days(contact, days);
        if at > since {
            return Entitlement::ReadOnly { since, reason: ReadOnlyReason::OfflineTooLong };
        }
    }
    let fallback = !claims.trial && claims.support_until.is_some_and(|until| build.built_at <= until);
    let (Some(exp), Some(grace_until)) = (claims.exp, claims.grace_until()) else {
        return Entitlement::Granted { until: None };
    };
    if fallback {
        Entitlement::Granted { until: None }
    } else if at < exp {
        Entitlement::Granted { until: Some(exp) }
    } else if at < grace_until {
        Entitlement::Grace { until: grace_until }
    } else {
        Entitlement::ReadOnly { since: grace_until, reason: ReadOnlyReason::Expired }
    }
}
