//! Installing, renewing, removing, restoring licences.

use crate::world::{Host, claims, days, mint, start};
use licenses::{Claims, Error, Installed, LicenseSet};
use trust::KeyId;

fn install(host: &mut Host, claims: &Claims) -> Result<Installed, Error> {
    let Host { licenses, store, instance, .. } = host;
    licenses.install(&mint(claims), store, instance.as_ref())
}

#[test]
fn a_renewal_takes_the_place_of_the_licence_and_cannot_be_undone_by_the_old_one() {
    let mut host = Host::new();
    let old = claims(|c| c.id = "L1".to_owned());
    let new = Claims { iat: start() + days(300), exp: Some(start() + days(730)), ..old.clone() };
    assert_eq!(install(&mut host, &old).unwrap(), Installed::New);
    assert_eq!(install(&mut host, &old).unwrap(), Installed::Unchanged);
    assert_eq!(host.code_at(start() + days(400)), "expired");
    assert_eq!(install(&mut host, &new).unwrap(), Installed::Renewed);
    assert_eq!(host.code_at(start() + days(400)), "granted");
    assert_eq!(install(&mut host, &old).unwrap_err().code(), "older_license");
    assert_eq!(host.licenses.iter().count(), 1);
}

#[test]
fn removing_the_licence_locks_and_installing_it_again_unlocks() {
    let mut host = Host::new();
    let license = claims(|c| c.id = "L1".to_owned());
    install(&mut host, &license).unwrap();
    assert!(host.licenses.remove("L1"));
    assert!(!host.licenses.remove("L1"));
    assert_eq!(host.code_at(start()), "no_license");
    install(&mut host, &license).unwrap();
    assert_eq!(host.code_at(start()), "granted");
}

#[test]
fn a_revoked_licence_and_one_for_another_host_are_not_installed() {
    let mut host = Host::new();
    host.revoke(&["L1".to_owned()], 1);
    assert_eq!(install(&mut host, &claims(|c| c.id = "L1".to_owned())).unwrap_err().code(), "revoked");
    let other: KeyId = "22".repeat(16).parse().unwrap();
    let bound = claims(|c| c.instance = Some(other));
    assert_eq!(install(&mut host, &bound).unwrap_err().code(), "wrong_instance");
    assert!(host.licenses.is_empty());
}

#[test]
fn stored_licences_come_back_and_spoiled_ones_are_told() {
    let mut host = Host::new();
    install(&mut host, &claims(|c| c.id = "L1".to_owned())).unwrap();
    install(&mut host, &claims(|c| c.id = "L2".to_owned())).unwrap();
    let mut tokens = host.licenses.tokens();
    let (set, refusals) = LicenseSet::restore(tokens.iter().map(String::as_str), &host.store);
    assert_eq!((&set, refusals), (&host.licenses, Vec::new()));
    tokens[0].truncate(100);
    let (set, refusals) = LicenseSet::restore(tokens.iter().map(String::as_str), &host.store);
    assert!(set.get("L1").is_none() && set.get("L2").is_some());
    assert_eq!(refusals[0].code(), "malformed");
}

#[test]
fn a_host_keeps_only_so_many_licences() {
    let tokens: Vec<String> =
        (0..=LicenseSet::MAX).map(|n| mint(&claims(|c| c.id = format!("L{n}")))).collect();
    let (set, refusals) = LicenseSet::restore(tokens.iter().map(String::as_str), &Host::new().store);
    assert_eq!(set.iter().count(), LicenseSet::MAX);
    assert_eq!(refusals[0].code(), "too_many_licenses");
}
