//! Tokens as earlier versions minted them keep being believed, and keep granting what they granted.

use crate::world::date;
use license_issuer::{Signer, development};
use licenses::License;
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
