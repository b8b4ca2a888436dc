//! The development keys, whose private halves are in the repository for everybody to see.
//!
//! Only debug builds trust their roots, and only debug builds (or the feature `development-keys`) contain this module.

use crate::{Credential, FileSigner};
use chrono::{DateTime, Duration, Utc};
use licenses::{Claims, EngineGrant};
use semver::VersionReq;
use uuid::Uuid;

macro_rules! key {
    ($name:literal) => {
        FileSigner::parse(include_bytes!(concat!("../../development-keys/", $name, ".pem")))
            .expect("the committed development keys are keys")
    };
}

macro_rules! credential {
    ($name:literal) => {
        Credential::new(
            key!($name),
            [include_str!(concat!("../../development-keys/", $name, ".cert")).trim().to_owned()],
        )
        .expect("the committed development certificates fit their keys")
    };
}

/// The first development root: every other key but acme's is certified by it.
pub fn root_signer() -> FileSigner {
    key!("root-1")
}

/// The second development root, as trusted as the first: for tests of rotation.
pub fn second_root_signer() -> FileSigner {
    key!("root-2")
}

/// Signs packages of every engine.
pub fn publisher_signer() -> Credential {
    credential!("publisher")
}

/// Signs licence tokens for every engine.
pub fn license_signer() -> Credential {
    credential!("license")
}

/// Signs revocation lists.
pub fn revocation_signer() -> Credential {
    credential!("revocation")
}

/// Signs documents of the portal.
pub fn portal_signer() -> Credential {
    credential!("portal")
}

/// Root of "acme", a third party. No build trusts it: a test adds it for the namespace `acme`, `acme_*`.
pub fn acme_root_signer() -> FileSigner {
    key!("acme-root")
}

/// Signs packages of acme's engines.
pub fn acme_publisher_signer() -> Credential {
    credential!("acme-publisher")
}

/// Signs licence tokens for acme's engines.
pub fn acme_license_signer() -> Credential {
    credential!("acme-license")
}

/// Signs the development root of distribution (TUF).
pub fn tuf_root_signer() -> FileSigner {
    key!("tuf-root")
}

/// Signs the timestamp of distribution.
pub fn tuf_timestamp_signer() -> FileSigner {
    key!("tuf-timestamp")
}

/// Signs the snapshot of distribution.
pub fn tuf_snapshot_signer() -> FileSigner {
    key!("tuf-snapshot")
}

/// Signs the vendor's targets of distribution.
pub fn tuf_targets_signer() -> FileSigner {
    key!("tuf-targets")
}

/// Signs what publishers distribute.
pub fn tuf_publishers_signer() -> FileSigner {
    key!("tuf-publishers")
}

/// A publisher's key whose root nobody trusts.
pub fn stranger_publisher_signer() -> Credential {
    credential!("stranger-publisher")
}

/// Claims of a licence for every version of `engines`, from the day before `now` for a year, with 14 days of grace and no
/// limits. Change what a test needs otherwise.
pub fn claims(engines: &[&str], now: DateTime<Utc>) -> Claims {
    let grant = |id: &&str| EngineGrant { id: (*id).to_owned(), versions: VersionReq::STAR };
    // Tokens hold whole seconds.
    let now = DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now);
    Claims {
        format: Claims::FORMAT,
        id: Uuid::now_v7().to_string(),
        customer: "C-0001".to_owned(),
        organisation: "Development".to_owned(),
        tier: "enterprise".to_owned(),
        engines: engines.iter().map(grant).collect(),
        hosts: None,
        child_hosts: None,
        iat: now,
        nbf: now - Duration::days(1),
        exp: Some(now + Duration::days(365)),
        grace_days: 14,
        offline_days: None,
        support_until: None,
        instance: None,
        trial: false,
        resets_clock: false,
    }
}

/// A licence token with [`claims`].
pub fn license(engines: &[&str], now: DateTime<Utc>) -> String {
    license_signer().issue_license(&claims(engines, now)).expect("a key in memory can sign")
}
