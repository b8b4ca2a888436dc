//! Revocation lists: what they stop, how they follow each other, that they survive a restart.

use crate::world::{credential, namespace, now, store};
use license_issuer::{Credential, development};
use semver::Version;
use trust::{
    Applied, Certificate, EngineStanding, KilledEngine, LowestGood, Realm, RevocationBody,
    RevokedCertificate, RevokedLicense, TrustStore, Usage,
};

fn list(sequence: u64, fill: impl FnOnce(&mut RevocationBody)) -> RevocationBody {
    let mut body = RevocationBody::empty(sequence, now());
    fill(&mut body);
    body
}

fn signed(by: &Credential, body: &RevocationBody) -> String {
    by.issue_revocations(body).unwrap()
}

fn by_vendor(body: &RevocationBody) -> String {
    signed(&development::revocation_signer(), body)
}

fn by_acme(body: &RevocationBody) -> String {
    let acme = credential(&development::acme_root_signer(), Usage::Revocation, |r| {
        r.engines = namespace(&["acme", "acme_*"]);
    });
    signed(&acme, body)
}

fn revoke(credential: &Credential, by_key: bool) -> RevokedCertificate {
    let body = Certificate::parse(&credential.chain().0[0]).unwrap().body().clone();
    RevokedCertificate {
        serial: (!by_key).then_some(body.serial),
        key: by_key.then(|| body.key.id()),
        reason: "stolen".to_owned(),
    }
}

fn code(store: &TrustStore, credential: &Credential) -> &'static str {
    match store.verify_chain(credential.chain(), Usage::Publisher, now()) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn a_certificate_is_revoked_by_serial_or_by_key() {
    for by_key in [false, true] {
        let mut store = store();
        let publisher = credential(&development::root_signer(), Usage::Publisher, |_| {});
        assert_eq!(code(&store, &publisher), "ok");
        let text = by_vendor(&list(1, |l| l.certificates.push(revoke(&publisher, by_key))));
        assert_eq!(store.apply_revocations(&text).unwrap(), Applied::Replaced);
        assert_eq!(code(&store, &publisher), "revoked_certificate");
        assert_eq!(code(&store, &development::publisher_signer()), "ok");
    }
}

#[test]
fn an_older_list_never_replaces_a_newer_one() {
    let mut store = store();
    let newer = by_vendor(&list(7, |l| {
        l.licenses.push(RevokedLicense { id: "L1".to_owned(), reason: "unpaid".to_owned() });
    }));
    store.apply_revocations(&newer).unwrap();
    let refused = store.apply_revocations(&by_vendor(&list(6, |_| {}))).unwrap_err();
    assert_eq!(refused.code(), "older_revocation_list");
    let refused = store.apply_revocations(&by_vendor(&list(7, |_| {}))).unwrap_err();
    assert_eq!(refused.code(), "conflicting_revocation_list");
    assert_eq!(store.apply_revocations(&newer).unwrap(), Applied::Unchanged);
    assert_eq!(store.revocations().license(&Realm::vendor(), "L1"), Some("unpaid"));
    assert_eq!(store.revocations().sequence(&Realm::vendor()), Some(7));
}

#[test]
fn a_list_signed_under_the_other_root_follows_the_same_numbers() {
    let mut store = store();
    store.apply_revocations(&by_vendor(&list(7, |_| {}))).unwrap();
    let other = credential(&development::second_root_signer(), Usage::Revocation, |_| {});
    let refused = store.apply_revocations(&signed(&other, &list(3, |_| {}))).unwrap_err();
    assert_eq!(refused.code(), "older_revocation_list");
    store.apply_revocations(&signed(&other, &list(8, |_| {}))).unwrap();
}

#[test]
fn the_kill_switch_names_versions_and_the_floor_a_lowest_one() {
    let mut store = store();
    let text = by_vendor(&list(1, |l| {
        l.engines.push(KilledEngine {
            engine: "automation_engine".to_owned(),
            versions: "=1.2.3".parse().unwrap(),
            reason: "loses data".to_owned(),
        });
        l.lowest_good.push(LowestGood { engine: "automation_engine".to_owned(), version: version("1.1.0") });
    }));
    store.apply_revocations(&text).unwrap();
    let standing = |engine: &str, at: &str| store.revocations().engine(engine, &version(at));
    let killed = EngineStanding::Killed { reason: "loses data".to_owned() };
    assert_eq!(standing("automation_engine", "1.2.3"), killed);
    assert_eq!(standing("automation_engine", "1.2.3-rc.1"), killed, "a pre-release counts as its release");
    assert_eq!(standing("automation_engine", "1.2.4"), EngineStanding::Good);
    let below = EngineStanding::BelowLowestGood { lowest: version("1.1.0") };
    assert_eq!(standing("automation_engine", "1.0.9"), below);
    assert_eq!(standing("fleet_engine", "1.2.3"), EngineStanding::Good);
}

#[test]
fn lists_survive_a_restart() {
    let mut before = store();
    let publisher = credential(&development::root_signer(), Usage::Publisher, |_| {});
    before.apply_revocations(&by_acme(&list(3, |_| {}))).unwrap();
    before
        .apply_revocations(&by_vendor(&list(9, |l| l.certificates.push(revoke(&publisher, true)))))
        .unwrap();
    let kept = before.revocations().to_text();
    let mut after = store();
    assert_eq!(after.restore_revocations(&kept), Vec::new());
    assert_eq!(after.revocations(), before.revocations());
    assert_eq!(code(&after, &publisher), "revoked_certificate");
    assert_eq!(
        after.apply_revocations(&by_vendor(&list(8, |_| {}))).unwrap_err().code(),
        "older_revocation_list"
    );
}

#[test]
fn a_restart_without_acmes_root_keeps_the_vendors_list() {
    let mut before = store();
    before.apply_revocations(&by_acme(&list(3, |_| {}))).unwrap();
    before.apply_revocations(&by_vendor(&list(9, |_| {}))).unwrap();
    let mut after = TrustStore::built_in();
    let refusals = after.restore_revocations(&before.revocations().to_text());
    assert_eq!(refusals.iter().map(trust::Error::code).collect::<Vec<_>>(), ["unknown_root"]);
    assert_eq!(after.revocations().sequence(&Realm::vendor()), Some(9));
}

#[test]
fn acmes_list_reaches_only_acme() {
    let mut store = store();
    let vendors = development::publisher_signer();
    let text = by_acme(&list(1, |l| {
        l.certificates.push(revoke(&vendors, true));
        l.licenses.push(RevokedLicense { id: "L1".to_owned(), reason: "spite".to_owned() });
    }));
    store.apply_revocations(&text).unwrap();
    assert_eq!(code(&store, &vendors), "ok");
    assert_eq!(store.revocations().license(&Realm::vendor(), "L1"), None);
    let kill = by_acme(&list(2, |l| {
        l.engines.push(KilledEngine {
            engine: "automation_engine".to_owned(),
            versions: "*".parse().unwrap(),
            reason: "spite".to_owned(),
        });
    }));
    assert_eq!(store.apply_revocations(&kill).unwrap_err().code(), "foreign_namespace");
}

#[test]
fn the_vendors_list_reaches_acme_too() {
    let mut store = store();
    let acme = development::acme_publisher_signer();
    store.apply_revocations(&by_vendor(&list(1, |l| l.certificates.push(revoke(&acme, false))))).unwrap();
    assert_eq!(code(&store, &acme), "revoked_certificate");
}

#[test]
fn a_list_that_is_forged_or_by_the_wrong_key_changes_nothing() {
    let mut store = store();
    let text = by_vendor(&list(1, |_| {}));
    let at = text.find("\"list\":\"").unwrap() + 12;
    let mut forged = text.clone().into_bytes();
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    assert!(store.apply_revocations(std::str::from_utf8(&forged).unwrap()).is_err());
    let by_publisher = signed(&development::publisher_signer(), &list(1, |_| {}));
    assert_eq!(store.apply_revocations(&by_publisher).unwrap_err().code(), "wrong_usage");
    assert!(store.revocations().is_empty());
}

#[test]
fn a_revoked_revocation_key_signs_no_further_list() {
    let mut store = store();
    let stolen = credential(&development::root_signer(), Usage::Revocation, |_| {});
    store.apply_revocations(&by_vendor(&list(1, |l| l.certificates.push(revoke(&stolen, true))))).unwrap();
    let refused = store.apply_revocations(&signed(&stolen, &list(2, |_| {}))).unwrap_err();
    assert_eq!(refused.code(), "revoked_certificate");
}
