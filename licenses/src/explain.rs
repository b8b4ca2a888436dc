//! What holds at a given time, for whom to read: the console's licence page and `sysmanage license explain --at DATE`.

use crate::claims::add_days;
use crate::decide::clock_fault;
use crate::{Circumstances, ClockSetBack, Decision, EngineBuild, License, Limits, decide};
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use trust::KeyId;

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The time that was asked about.
    pub at: DateTime<Utc>,
    /// The time that counts: no earlier than what was seen.
    pub effective_at: DateTime<Utc>,
    /// Set when this host's clock is behind a time that was seen.
    pub clock_set_back: Option<ClockSetBack>,
    /// Every licence.
    pub licenses: Vec<LicenseSummary>,
    /// Every engine that was asked about.
    pub engines: Vec<EngineExplanation>,
    /// How many machines may be approved.
    pub limits: Limits,
}

/// One licence, without its token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LicenseSummary {
    /// Id.
    pub id: String,
    /// Customer number.
    pub customer: String,
    /// Organisation.
    pub organisation: String,
    /// Tier, for display.
    pub tier: String,
    /// Engines and the versions granted, as `id version-requirement`.
    pub engines: Vec<String>,
    /// Issued.
    pub issued_at: DateTime<Utc>,
    /// Begins.
    pub not_before: DateTime<Utc>,
    /// Ends; absent for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Grace ends; absent for never.
    pub grace_until: Option<DateTime<Utc>>,
    /// Builds up to then keep working for ever.
    pub support_until: Option<DateTime<Utc>>,
    /// Bound to the host with this key.
    pub instance: Option<KeyId>,
    /// A trial.
    pub trial: bool,
    /// Why it was revoked, if it was.
    pub revoked: Option<String>,
    /// Who signed it.
    pub signed_by: String,
}

/// One engine at the time asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EngineExplanation {
    /// The build.
    #[serde(flatten)]
    pub build: EngineBuild,
    /// The answer.
    pub decision: Decision,
    /// Its code.
    pub code: &'static str,
    /// The answer in one sentence.
    pub sentence: String,
    /// What would unlock it.
    pub unlocks: Option<String>,
    /// When the answer changes next, if nothing else happens.
    pub next_change: Option<NextChange>,
}

/// The next change of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextChange {
    /// When.
    pub at: DateTime<Utc>,
    /// The state it changes to.
    pub state: &'static str,
    /// The code it changes to.
    pub code: &'static str,
}

/// Explain what is granted to `builds`: now, or at another time, as far as today's licences and lists can tell. Of a time
/// before the floor the answer is that for the floor.
pub fn explain(
    builds: &[EngineBuild],
    circumstances: &Circumstances<'_>,
    at: Option<DateTime<Utc>>,
) -> Explanation {
    let asked = at.unwrap_or(circumstances.now);
    let effective_at = circumstances.floor.effective(asked);
    // A question about another day is not a clock set back.
    let then = match at {
        Some(_) => Circumstances { now: effective_at, ..*circumstances },
        None => *circumstances,
    };
    let licenses = circumstances.licenses;
    Explanation {
        at: asked,
        effective_at,
        clock_set_back: clock_fault(circumstances).map(|fault| {
            let matters =
                |build| decide(build, circumstances).clock_set_back.is_some_and(|fault| fault.decides);
            ClockSetBack { decides: builds.iter().any(matters), ..fault }
        }),
        licenses: licenses.iter().map(|license| summary(license, circumstances)).collect(),
        engines: builds.iter().map(|build| explain_engine(build, &then)).collect(),
        limits: licenses.limits(circumstances.revocations, effective_at, circumstances.instance),
    }
}

fn explain_engine(build: &EngineBuild, circumstances: &Circumstances<'_>) -> EngineExplanation {
    let decision = decide(build, circumstances);
    EngineExplanation {
        code: decision.code(),
        sentence: decision.sentence(build),
        unlocks: decision.unlocks(build),
        next_change: next_change(build, circumstances, &decision),
        build: build.clone(),
        decision,
    }
}

/// The first of all dates in the licences at which the answer is another one.
fn next_change(
    build: &EngineBuild,
    circumstances: &Circumstances<'_>,
    decision: &Decision,
) -> Option<NextChange> {
    let mut dates: Vec<DateTime<Utc>> = circumstances
        .licenses
        .iter()
        .flat_map(|license| dates_of(license, circumstances.last_contact))
        .filter(|date| *date > decision.effective_at)
        .collect();
    dates.sort();
    dates.into_iter().find_map(|at| {
        let then = decide(build, &Circumstances { now: at, ..*circumstances });
        let changed = then.entitlement.code() != decision.entitlement.code();
        changed.then(|| NextChange { at, state: then.entitlement.state(), code: then.code() })
    })
}

/// Every date at which this licence may grant something else than before.
fn dates_of(license: &License, last_contact: Option<DateTime<Utc>>) -> impl Iterator<Item = DateTime<Utc>> {
    let claims = license.claims();
    let contact = last_contact.map_or(claims.iat, |contact| contact.max(claims.iat));
    // Offline begins just after its last good moment.
    let offline =
        claims.offline_days.and_then(|days| add_days(contact, days).checked_add_signed(Duration::seconds(1)));
    [Some(claims.nbf), claims.exp, claims.grace_until(), offline].into_iter().flatten()
}

fn summary(license: &License, circumstances: &Circumstances<'_>) -> LicenseSummary {
    let claims = license.claims();
    LicenseSummary {
        id: claims.id.clone(),
        customer: claims.customer.clone(),
        organisation: claims.organisation.clone(),
        tier: claims.tier.clone(),
        engines: claims.engines.iter().map(|grant| format!("{} {}", grant.id, grant.versions)).collect(),
        issued_at: claims.iat,
        not_before: claims.nbf,
        expires_at: claims.exp,
        grace_until: claims.grace_until(),
        support_until: claims.support_until,
        instance: claims.instance.clone(),
        trial: claims.trial,
        revoked: license.revoked(circumstances.revocations),
        signed_by: license.signer().subject.clone(),
    }
}
