//! Licences and revocation lists for tests and the demo, signed with development keys.

use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use license_issuer::{Credential, development};
use licenses::{Claims, EngineGrant};
use uuid::Uuid;

/// Claims of a licence for `engines`, in force from an hour ago for 30 days, 14 days of grace.
pub fn claims(engines: &[&str]) -> Claims {
    let now = Utc::now();
    Claims {
        format: Claims::FORMAT,
        id: Uuid::now_v7().to_string(),
        customer: "C-1".into(),
        organisation: "Development".into(),
        tier: "enterprise".into(),
        engines: engines.iter().map(|id| grant(id, "*")).collect(),
        hosts: Some(10_000),
        child_hosts: None,
        iat: now - Duration::hours(1),
        nbf: now - Duration::hours(1),
        exp: Some(now + Duration::days(30)),
        grace_days: 14,
        offline_days: None,
        support_until: None,
        instance: None,
        trial: false,
        resets_clock: false,
    }
}

/// A grant of versions of an engine.
///
/// # Panics
/// When `versions` is not a requirement: tests write it as a literal.
pub fn grant(id: &str, versions: &str) -> EngineGrant {
    EngineGrant { id: id.into(), versions: versions.parse().expect("a version requirement") }
}

/// The moment of issue of a later edition of a licence: each answer is later than the one before.
pub fn edition() -> DateTime<Utc> {
    static EDITIONS: AtomicI64 = AtomicI64::new(1);
    Utc::now() - Duration::hours(1) + Duration::seconds(EDITIONS.fetch_add(1, Ordering::Relaxed))
}

/// The same licence, renewed, with another end.
pub fn renewed(claims: &Claims, exp: DateTime<Utc>) -> Claims {
    Claims { iat: edition(), exp: Some(exp), ..claims.clone() }
}

/// A licence whose term and grace are over: read-only.
pub fn lapsed(claims: &Claims) -> Claims {
    let end = Utc::now() - Duration::seconds(2);
    Claims { iat: edition(), nbf: end - Duration::days(30), exp: Some(end), grace_days: 0, ..claims.clone() }
}

/// Sign with the development licence key.
///
/// # Errors
/// When the key cannot be used.
pub fn sign(claims: &Claims) -> Result<String> {
    sign_with(&development::license_signer(), claims)
}

/// Sign with any key.
///
/// # Errors
/// When the key cannot be used.
pub fn sign_with(credential: &Credential, claims: &Claims) -> Result<String> {
    Ok(credential.issue_license(claims)?)
}
