//! Detached signatures over a package's manifest.

use crate::world::{credential, date, now, store};
use license_issuer::{Signer, development};
use trust::{Error, Kind, SignatureSet, Usage, VerifiedSigner};

const MANIFEST: &[u8] = b"id = \"automation_engine\"\n";

fn verify(set: &SignatureSet, engine: &str) -> Result<VerifiedSigner, Error> {
    // Through its bytes, as from a package.
    SignatureSet::parse(&set.to_bytes())?.verify(MANIFEST, Usage::Publisher, engine, now(), &store())
}

fn code(set: &SignatureSet, engine: &str) -> &'static str {
    verify(set, engine).unwrap_err().code()
}

#[test]
fn a_publishers_signature_over_these_bytes_is_believed() {
    let set = development::publisher_signer().sign_package(MANIFEST).unwrap();
    assert_eq!(verify(&set, "automation_engine").unwrap().subject, "DEVELOPMENT ONLY publisher");
}

#[test]
fn every_flipped_byte_of_the_manifest_is_noticed() {
    let set = development::publisher_signer().sign_package(MANIFEST).unwrap();
    for at in 0..MANIFEST.len() {
        let mut changed = MANIFEST.to_vec();
        changed[at] ^= 1;
        let refused = set.verify(&changed, Usage::Publisher, "automation_engine", now(), &store());
        assert_eq!(refused.unwrap_err().code(), "bad_signature");
    }
}

#[test]
fn every_flipped_byte_of_the_signature_file_is_noticed_or_means_nothing() {
    let set = development::publisher_signer().sign_package(MANIFEST).unwrap();
    let good = set.to_bytes();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let Ok(read) = SignatureSet::parse(&changed) else { continue };
        let verified = read.verify(MANIFEST, Usage::Publisher, "automation_engine", now(), &store());
        // White space may change; a value may not.
        assert!(verified.is_err() || read == set, "byte {at}");
    }
}

#[test]
fn a_signature_of_another_key_is_refused() {
    let publisher = development::publisher_signer();
    let mut set = publisher.sign_package(MANIFEST).unwrap();
    let other = development::root_signer();
    set.signatures[0].signature = other.sign_document(Kind::Manifest, MANIFEST).unwrap();
    assert_eq!(code(&set, "automation_engine"), "bad_signature");
    set.signatures[0].key = other.public_key().id();
    assert_eq!(code(&set, "automation_engine"), "wrong_key");
}

#[test]
fn a_signature_for_another_kind_of_document_is_refused() {
    let publisher = development::publisher_signer();
    let mut set = publisher.sign_package(MANIFEST).unwrap();
    set.signatures[0].signature = publisher.signer().sign_document(Kind::Revocations, MANIFEST).unwrap();
    assert_eq!(code(&set, "automation_engine"), "bad_signature");
}

#[test]
fn a_licence_key_cannot_sign_packages() {
    let set = development::license_signer().sign_package(MANIFEST).unwrap();
    assert_eq!(code(&set, "automation_engine"), "wrong_usage");
}

#[test]
fn acme_signs_its_own_engines_and_no_others() {
    let set = development::acme_publisher_signer().sign_package(MANIFEST).unwrap();
    assert_eq!(verify(&set, "acme_tools").unwrap().root, "acme");
    assert_eq!(code(&set, "automation_engine"), "foreign_namespace");
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let stranger = development::stranger_publisher_signer().sign_manifest(MANIFEST).unwrap();
    let good = development::publisher_signer().sign_manifest(MANIFEST).unwrap();
    let set = SignatureSet::new(vec![stranger.clone(), good]);
    assert_eq!(verify(&set, "automation_engine").unwrap().root, "development-root-1");
    assert_eq!(code(&SignatureSet::new(vec![stranger]), "automation_engine"), "unknown_root");
}

#[test]
fn the_refusal_told_is_that_of_a_signature_under_a_known_root() {
    let stranger = development::stranger_publisher_signer().sign_manifest(MANIFEST).unwrap();
    let expired = credential(&development::root_signer(), Usage::Publisher, |r| {
        r.not_after = date("2026-02-01T00:00:00Z");
    });
    let expired = expired.sign_manifest(MANIFEST).unwrap();
    let set = SignatureSet::new(vec![stranger, expired]);
    assert_eq!(code(&set, "automation_engine"), "expired_certificate");
}

#[test]
fn a_package_admitted_in_time_outlives_its_publishers_certificate() {
    let publisher = credential(&development::root_signer(), Usage::Publisher, |_| {});
    let set = publisher.sign_package(MANIFEST).unwrap();
    let verify = |at| set.verify(MANIFEST, Usage::Publisher, "automation_engine", at, &store());
    let admitted = now();
    assert!(verify(admitted).is_ok());
    assert_eq!(verify(date("2028-01-01T00:00:00Z")).unwrap_err().code(), "expired_certificate");
}

#[test]
fn no_signature_and_too_many_are_refused() {
    assert_eq!(code(&SignatureSet::new(Vec::new()), "x"), "no_signature");
    let one = development::publisher_signer().sign_manifest(MANIFEST).unwrap();
    assert_eq!(code(&SignatureSet::new(vec![one; 9]), "x"), "malformed");
    let huge = vec![b' '; SignatureSet::MAX_BYTES + 1];
    assert_eq!(SignatureSet::parse(&huge).unwrap_err().code(), "too_large");
    assert_eq!(SignatureSet::parse(br#"{"v":7}"#).unwrap_err().code(), "unsupported_format");
}
