//! Certificate chains: what is refused, and how it is called.

use crate::world::{authority, credential, date, namespace, new_key, now, request, store, under};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use license_issuer::{Credential, Signer, development, issue_certificate};
use trust::{Chain, Usage};

fn code(credential: &Credential, usage: Usage) -> &'static str {
    match store().verify_chain(credential.chain(), usage, now()) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

#[test]
fn a_certificate_of_a_root_is_believed() {
    let publisher = development::publisher_signer();
    let signer = store().verify_chain(publisher.chain(), Usage::Publisher, now()).unwrap();
    assert_eq!(signer.subject, "DEVELOPMENT ONLY publisher");
    assert_eq!(signer.root, "development-root-1");
    assert_eq!(signer.key_id, publisher.key_id());
    assert!(signer.realm.is_vendor());
    assert!(signer.speaks_for("automation_engine").is_ok());
}

#[test]
fn roots_rotate_every_root_is_believed() {
    let second = credential(&development::second_root_signer(), Usage::License, |_| {});
    assert_eq!(code(&second, Usage::License), "ok");
}

#[test]
fn an_unknown_root_is_refused() {
    assert_eq!(code(&development::stranger_publisher_signer(), Usage::Publisher), "unknown_root");
}

#[test]
fn acmes_root_is_unknown_until_an_administrator_adds_it() {
    let chain = development::acme_publisher_signer().chain().clone();
    let refused = trust::TrustStore::built_in().verify_chain(&chain, Usage::Publisher, now()).unwrap_err();
    assert_eq!(refused.code(), "unknown_root");
    assert_eq!(store().verify_chain(&chain, Usage::Publisher, now()).unwrap().realm.to_string(), "acme");
}

#[test]
fn a_certificate_outside_its_time_is_refused() {
    let root = development::root_signer();
    let expired = credential(&root, Usage::Publisher, |r| r.not_after = date("2026-05-31T23:59:59Z"));
    assert_eq!(code(&expired, Usage::Publisher), "expired_certificate");
    let future = credential(&root, Usage::Publisher, |r| r.not_before = date("2026-06-01T00:00:01Z"));
    assert_eq!(code(&future, Usage::Publisher), "not_yet_valid");
}

#[test]
fn every_usage_is_only_good_for_itself() {
    let usages = [Usage::Publisher, Usage::License, Usage::Revocation, Usage::Portal, Usage::Authority];
    for has in usages {
        let credential = credential(&development::root_signer(), has, |_| {});
        for wanted in usages {
            let expected = if has == wanted { "ok" } else { "wrong_usage" };
            assert_eq!(code(&credential, wanted), expected, "{has} as {wanted}");
        }
    }
}

#[test]
fn a_certificate_that_was_changed_is_refused() {
    let publisher = development::acme_publisher_signer();
    let text = &publisher.chain().0[0];
    let (payload, signature) = text.split_once('.').unwrap();
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let wider = payload.replace("\"acme_*\"", "\"*\"");
    assert_ne!(payload, wider);
    let forged = format!("{}.{signature}", URL_SAFE_NO_PAD.encode(wider));
    let refused = store().verify_chain(&Chain(vec![forged]), Usage::Publisher, now()).unwrap_err();
    assert_eq!(refused.code(), "bad_signature");
}

#[test]
fn a_certificate_that_names_a_root_which_did_not_sign_it_is_refused() {
    // The impostor's certificate says that root 1 issued it.
    let (root, impostor, key) = (development::root_signer(), new_key(), new_key());
    struct Impostor<'a>(&'a dyn Signer, &'a dyn Signer);
    impl Signer for Impostor<'_> {
        fn public_key(&self) -> trust::PublicKey {
            self.0.public_key()
        }
        fn sign(&self, bytes: &[u8]) -> Result<trust::Signature, license_issuer::SignError> {
            self.1.sign(bytes)
        }
    }
    let forged = issue_certificate(&Impostor(&root, &impostor), request(&key, Usage::Publisher)).unwrap();
    let refused = store().verify_chain(&Chain(vec![forged]), Usage::Publisher, now()).unwrap_err();
    assert_eq!(refused.code(), "bad_signature");
}

#[test]
fn an_authority_certifies_what_it_may_and_nothing_else() {
    let authority = authority(&development::root_signer(), &[Usage::License], |_| {});
    assert_eq!(code(&under(&authority, Usage::License, |_| {}), Usage::License), "ok");
    assert_eq!(code(&under(&authority, Usage::Publisher, |_| {}), Usage::Publisher), "wrong_usage");
}

#[test]
fn an_ordinary_certificate_certifies_nothing() {
    let publisher = credential(&development::root_signer(), Usage::Publisher, |_| {});
    assert_eq!(code(&under(&publisher, Usage::Publisher, |_| {}), Usage::Publisher), "wrong_usage");
}

#[test]
fn an_expired_authority_takes_everything_under_it_along() {
    let root = development::root_signer();
    let authority = authority(&root, &[Usage::License], |r| r.not_after = date("2026-05-01T00:00:00Z"));
    assert_eq!(code(&under(&authority, Usage::License, |_| {}), Usage::License), "expired_certificate");
}

#[test]
fn a_namespace_only_narrows_along_the_chain() {
    let authority =
        authority(&development::root_signer(), &[Usage::Publisher], |r| r.engines = namespace(&["fleet_*"]));
    let wide = under(&authority, Usage::Publisher, |_| {});
    let signer = store().verify_chain(wide.chain(), Usage::Publisher, now()).unwrap();
    assert!(signer.speaks_for("fleet_engine").is_ok());
    assert_eq!(signer.speaks_for("automation_engine").unwrap_err().code(), "foreign_namespace");
}

#[test]
fn acmes_root_cannot_give_more_than_it_has() {
    let wide = credential(&development::acme_root_signer(), Usage::Publisher, |_| {});
    let signer = store().verify_chain(wide.chain(), Usage::Publisher, now()).unwrap();
    assert!(signer.speaks_for("acme_tools").is_ok());
    assert_eq!(signer.speaks_for("automation_engine").unwrap_err().code(), "foreign_namespace");
}

#[test]
fn a_chain_that_is_broken_in_the_middle_is_refused() {
    let root = development::root_signer();
    let first = authority(&root, &[Usage::License], |_| {});
    let second = authority(&root, &[Usage::License], |_| {});
    let leaf = under(&first, Usage::License, |_| {});
    let mixed = Chain(vec![leaf.chain().0[0].clone(), second.chain().0[0].clone()]);
    assert_eq!(store().verify_chain(&mixed, Usage::License, now()).unwrap_err().code(), "wrong_key");
}

#[test]
fn no_chain_is_empty_or_longer_than_three() {
    let one = development::license_signer().chain().0[0].clone();
    for chain in [Chain(Vec::new()), Chain(vec![one; 4])] {
        assert_eq!(store().verify_chain(&chain, Usage::License, now()).unwrap_err().code(), "chain_length");
    }
}

#[test]
fn a_later_format_is_refused_as_such() {
    let later = format!("{}.{}", URL_SAFE_NO_PAD.encode(br#"{"v":2,"new":true}"#), "A".repeat(86));
    assert_eq!(trust::Certificate::parse(&later).unwrap_err().code(), "unsupported_format");
    let huge = "A".repeat(trust::Certificate::MAX_BYTES + 1);
    assert_eq!(trust::Certificate::parse(&huge).unwrap_err().code(), "too_large");
}
