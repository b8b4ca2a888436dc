//! Tokens as earlier versions minted them keep being believed, and keep granting what they granted.

use crate::world::{Host, date};
use license_issuer::{Signer, development};
use licenses::{Circumstances, EngineBuild, License, LicenseSet, decide};
use trust::{Namespace, Root, TrustStore};

fn store() -> TrustStore {
    let mut store = TrustStore::built_in();
    let key = development::acme_root_signer().public_key();
    store.add_root(Root::third_party("acme", key, Namespace::new(["acme_*"]).unwrap()).unwrap()).unwrap();
    store
}

#[test]
fn the_first_minimal_licence_is_still_believed() {
    let license = License::verify(include_str!("../goldens/minimal.v1.jws"), &store()).unwrap();
    let claims = license.claims();
    assert_eq!((claims.id.as_str(), claims.exp, claims.hosts), ("golden-minimal", None, None));
    assert_eq!(claims.iat, date("2026-01-01"));
}

#[test]
fn the_first_full_licence_is_still_believed() {
    let license = License::verify(include_str!("../goldens/full.v1.jws"), &store()).unwrap();
    let claims = license.claims();
    assert_eq!(claims.engines[1].versions.to_string(), ">=1.2, <3");
    assert_eq!((claims.hosts, claims.child_hosts, claims.offline_days), (Some(100), Some(1000), Some(400)));
    assert_eq!(claims.exp, Some(date("2027-01-01")));
    assert_eq!(claims.support_until, Some(date("2026-07-01")));
    assert_eq!(claims.instance.as_ref().unwrap().to_string(), "536417829b76830b8a606e4c86e757a1");
    assert!(claims.trial && claims.resets_clock);
}

#[test]
fn the_first_third_party_licence_is_still_believed() {
    let license = License::verify(include_str!("../goldens/acme.v1.jws"), &store()).unwrap();
    assert_eq!(license.signer().realm.to_string(), "acme");
}

#[test]
fn the_first_licences_grant_what_they_granted() {
    let tokens = [include_str!("../goldens/minimal.v1.jws"), include_str!("../goldens/full.v1.jws")];
    let (licenses, refusals) = LicenseSet::restore(tokens, &store());
    assert_eq!(refusals, Vec::new());
    let mut host = Host::new();
    host.licenses = licenses;
    host.instance = Some("536417829b76830b8a606e4c86e757a1".parse().unwrap());
    let code = |engine: &str, version: &str, day: &str| {
        let build = EngineBuild::new(engine, version.parse().unwrap(), date("2026-01-01"));
        decide(&build, &Circumstances { now: date(day), ..host.circumstances() }).code()
    };
    assert_eq!(code("automation_engine", "7.0.0", "2090-01-01"), "granted");
    assert_eq!(code("fleet_engine", "1.2.0", "2026-06-01"), "granted");
    assert_eq!(code("fleet_engine", "3.0.0", "2026-06-01"), "version_not_included");
    assert_eq!(code("fleet_engine", "1.2.0", "2027-01-10"), "grace");
    assert_eq!(code("fleet_engine", "1.2.0", "2027-01-15"), "expired");
    assert_eq!(code("fleet_engine", "1.2.0", "2027-06-01"), "offline_too_long");
}
