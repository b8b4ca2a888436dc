//! Every refusal of a package, from a package that is right but for one thing.

use chrono::{Duration, Utc};
use license_issuer::Credential;
use plugin_packager::{Draft, SealedPackage};
use plugin_runtime::{Package, Policy, RefusalKind, Side, TARGET};
use semver::Version;
use trust::{KilledEngine, LowestGood, RevocationBody, RevokedCertificate, Usage};

use crate::kit::{
    KEYS, Keys, archive, bytes, certified, code, draft, entries, host, template, verify, verify_at,
};

fn sealed() -> SealedPackage {
    draft().seal().unwrap()
}

fn spoilt(change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> &'static str {
    let mut entries = entries(&sealed());
    change(&mut entries);
    code(&archive(&entries))
}

fn signed_by(credential: &Credential) -> Vec<u8> {
    let package = sealed();
    let signatures = credential.sign_package(package.manifest_toml()).unwrap();
    let mut out = Vec::new();
    package.write_at(1, &signatures, &mut out).unwrap();
    out
}

fn with(change: impl FnOnce(&mut Draft)) -> &'static str {
    let mut draft = draft();
    change(&mut draft);
    code(&bytes(&draft.seal().unwrap()))
}

#[test]
fn a_right_package_is_verified_and_gives_its_files() {
    let package = verify(&bytes(&sealed())).unwrap();
    assert_eq!(package.manifest().id, "fixture");
    assert_eq!(package.signer().subject, "Test Publisher");
    assert_eq!(package.file("ui/index.js").unwrap(), "export default 1;");
    assert_eq!(package.files("ui/").count(), 1);
    assert!(package.file("nothing").is_none());
    let directory = tempfile::tempdir().unwrap();
    package.extract("", directory.path()).unwrap();
    assert_eq!(std::fs::read(directory.path().join("ui/index.js")).unwrap(), b"export default 1;");
    assert!(!directory.path().join("lib").exists(), "libraries are not extracted");
    assert!(package.extract("", directory.path()).is_err(), "nothing is overwritten");
}

#[test]
fn the_same_input_gives_the_same_package() {
    let package = sealed();
    let signatures = KEYS.publisher.sign_package(package.manifest_toml()).unwrap();
    assert_eq!(package.to_bytes(&signatures).unwrap(), package.to_bytes(&signatures).unwrap());
    let again = SealedPackage::read(&package.to_bytes(&signatures).unwrap()[..]).unwrap();
    assert_eq!(again.to_bytes(&signatures).unwrap(), package.to_bytes(&signatures).unwrap());
}

#[test]
fn a_flipped_byte_in_any_file_is_refused() {
    let flip = |name: &str| {
        spoilt(|e| {
            let content = &mut e.iter_mut().find(|(p, _)| p.ends_with(name)).unwrap().1;
            let middle = content.len() / 2;
            content[middle] ^= 1;
        })
    };
    assert_eq!(flip("libfixture.so"), "digest_mismatch");
    assert_eq!(flip("index.js"), "digest_mismatch");
    assert_eq!(flip("LICENSE"), "digest_mismatch");
    assert_eq!(flip("plugin.toml"), "bad_signature");
}

#[test]
fn a_flipped_byte_anywhere_in_the_signature_is_refused() {
    let good = entries(&sealed());
    for at in 0..good[1].1.len() {
        let mut entries = good.clone();
        entries[1].1[at] ^= 1;
        if let Ok(package) = verify(&archive(&entries)) {
            // White space, or a member's name that nothing depends on.
            assert_eq!(package.manifest().id, "fixture");
            assert!(good[1].1[at].is_ascii_whitespace(), "byte {at} of plugin.sig counts for nothing");
        }
    }
}

#[test]
fn another_key_than_the_certificates_is_refused() {
    let other = certified(&KEYS.root, Usage::Publisher, |_| {});
    let package = sealed();
    let mut signatures = other.sign_package(package.manifest_toml()).unwrap();
    signatures.signatures[0].chain = KEYS.publisher.chain().clone();
    let mut out = Vec::new();
    package.write_at(1, &signatures, &mut out).unwrap();
    assert_eq!(code(&out), "wrong_key");
    signatures.signatures[0].key = KEYS.publisher.key_id();
    let mut out = Vec::new();
    package.write_at(1, &signatures, &mut out).unwrap();
    assert_eq!(code(&out), "bad_signature");
}

#[test]
fn certificates_of_others_other_times_and_other_uses_are_refused() {
    assert_eq!(code(&signed_by(&Keys::new().publisher)), "unknown_root");
    let expired = certified(&KEYS.root, Usage::Publisher, |r| r.not_after = Utc::now() - Duration::hours(1));
    assert_eq!(code(&signed_by(&expired)), "expired_certificate");
    let early = certified(&KEYS.root, Usage::Publisher, |r| r.not_before = Utc::now() + Duration::hours(1));
    assert_eq!(code(&signed_by(&early)), "certificate_not_yet_valid");
    let license = certified(&KEYS.root, Usage::License, |_| {});
    assert_eq!(code(&signed_by(&license)), "wrong_usage");
    let foreign = certified(&KEYS.root, Usage::Publisher, |r| {
        r.engines = trust::Namespace::new(["acme", "acme_*"]).unwrap();
    });
    assert_eq!(code(&signed_by(&foreign)), "foreign_namespace");
    let renamed = certified(&KEYS.root, Usage::Publisher, |r| r.subject = "Somebody Else".into());
    assert_eq!(code(&signed_by(&renamed)), "wrong_publisher");
}

#[test]
fn an_admitted_package_outlives_its_certificate() {
    let package = bytes(&sealed());
    let later = Utc::now() + Duration::days(30);
    assert_eq!(verify_at(&package, &KEYS.store(), later).unwrap_err().code(), "expired_certificate");
    assert!(verify_at(&package, &KEYS.store(), Utc::now()).is_ok());
}

#[test]
fn revocation_lists_stop_certificates_and_versions() {
    let revoker = certified(&KEYS.root, Usage::Revocation, |_| {});
    let refused = |change: fn(&mut RevocationBody)| {
        let mut list = RevocationBody::empty(1, Utc::now());
        change(&mut list);
        let mut store = KEYS.store();
        store.apply_revocations(&revoker.issue_revocations(&list).unwrap()).unwrap();
        verify_at(&bytes(&sealed()), &store, Utc::now()).err().map(|r| r.code())
    };
    assert_eq!(refused(|_| {}), None);
    let certificate = refused(|list| {
        let (key, reason) = (Some(KEYS.publisher.key_id()), "stolen".to_owned());
        list.certificates.push(RevokedCertificate { serial: None, key, reason });
    });
    assert_eq!(certificate, Some("revoked_certificate"));
    let killed = refused(|list| {
        let versions = "=1.2.3".parse().unwrap();
        list.engines.push(KilledEngine { engine: "fixture".into(), versions, reason: "loses data".into() });
    });
    assert_eq!(killed, Some("version_killed"));
    let floor = refused(|list| {
        list.lowest_good.push(LowestGood { engine: "fixture".into(), version: Version::new(2, 0, 0) });
    });
    assert_eq!(floor, Some("version_killed"));
}

#[test]
fn a_file_more_less_or_twice_is_refused() {
    assert_eq!(spoilt(|e| e.push(("ui/more.js".into(), b"1".to_vec()))), "extra_file");
    assert_eq!(spoilt(|e| e.retain(|(p, _)| p != "ui/index.js")), "missing_file");
    assert_eq!(spoilt(|e| e.retain(|(p, _)| !p.starts_with("lib/"))), "missing_file");
    assert_eq!(spoilt(|e| e.push(("LICENSE".into(), b"1".to_vec()))), "duplicate_path");
    assert_eq!(spoilt(|e| e.push(("license".into(), b"1".to_vec()))), "duplicate_path");
    assert_eq!(spoilt(|e| e.last_mut().unwrap().1.push(0)), "digest_mismatch");
    assert_eq!(spoilt(|e| e.swap(0, 1)), "malformed_archive");
    assert_eq!(spoilt(|e| e.truncate(1)), "malformed_archive");
    assert_eq!(spoilt(Vec::clear), "malformed_archive");
}

#[test]
fn a_manifest_that_is_signed_but_wrong_is_refused() {
    let package = sealed();
    let resigned = |toml: &str| {
        let mut entries = entries(&package);
        entries[0].1 = toml.as_bytes().to_vec();
        entries[1].1 = KEYS.publisher.sign_package(toml.as_bytes()).unwrap().to_bytes();
        code(&archive(&entries))
    };
    let good = String::from_utf8(package.manifest_toml().to_vec()).unwrap();
    assert_eq!(resigned(&good.replace("tier = \"free\"", "tier = \"gold\"")), "manifest_invalid");
    assert_eq!(resigned(&good.replace("tier = \"free\"", "")), "manifest_invalid");
    assert_eq!(
        resigned(&good.replace("tier = \"free\"", "tier = \"free\"\nsurprise = 1")),
        "manifest_invalid"
    );
    assert_eq!(resigned("not toml ["), "manifest_invalid");
    assert_eq!(resigned(&good.replace("id = \"fixture\"", "id = \"other\"")), "foreign_namespace");
    assert_eq!(resigned(&good.replace("ui/index.js", "../index.js")), "manifest_invalid");
}

#[test]
fn versions_and_targets_that_do_not_fit_are_refused() {
    assert_eq!(with(|d| d.manifest_mut().api = "^7".parse().unwrap()), "wrong_api_version");
    assert_eq!(with(|d| d.manifest_mut().host = "^7".parse().unwrap()), "wrong_host_version");
    let mut elsewhere = Draft::new(&template(), Utc::now()).unwrap();
    elsewhere.library("riscv64gc-unknown-none-elf", b"x".to_vec());
    let elsewhere = bytes(&elsewhere.seal().unwrap());
    assert_eq!(code(&elsewhere), "wrong_target");
    let store = KEYS.store();
    let tool = Package::verify(&elsewhere[..], &Policy::new(&store, Utc::now(), Side::Tool));
    assert!(tool.is_ok(), "a tool checks packages for other systems");
    let mut agent = draft();
    agent.manifest_mut().agent = "^7".parse().unwrap();
    let agent = bytes(&agent.seal().unwrap());
    let side = Side::Agent(Version::new(1, 0, 0));
    let refused = Package::verify(&agent[..], &Policy::new(&store, Utc::now(), side)).unwrap_err();
    assert_eq!(refused.code(), "wrong_agent_version");
    assert!(Package::verify(&agent[..], &Policy::new(&store, Utc::now(), host())).is_ok());
}

#[test]
fn a_listed_target_without_its_library_is_refused() {
    let mut draft = Draft::new(&template(), Utc::now()).unwrap();
    draft.manifest_mut().targets.push(TARGET.into());
    draft.file("LICENSE", Vec::new());
    assert_eq!(code(&bytes(&draft.seal().unwrap())), "wrong_target");
}

#[test]
fn a_missing_file_is_unreadable() {
    let store = KEYS.store();
    let policy = Policy::new(&store, Utc::now(), host());
    let refusal = Package::verify_file(std::path::Path::new("/nowhere.engine"), &policy).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Unreadable);
}

#[test]
fn every_code_is_its_own() {
    let codes: std::collections::BTreeSet<_> = RefusalKind::ALL.iter().map(|k| k.code()).collect();
    assert_eq!(codes.len(), RefusalKind::ALL.len());
}
