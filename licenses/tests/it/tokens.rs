//! Tokens that are refused, each by its code.

use crate::world::{claims, date, mint, start};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use license_issuer::{
    CertificateRequest, Credential, FileSigner, Signer, development, generate_key, issue_certificate,
};
use licenses::{License, UnverifiedToken};
use serde_json::{Value, json};
use trust::{Kind, Namespace, Root, TrustStore, Usage};

fn code(token: &str) -> &'static str {
    match License::verify(token, &TrustStore::built_in()) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

/// A token whose header and claims were changed, and which was then signed properly.
fn signed_with(header: impl FnOnce(&mut Value), body: impl FnOnce(&mut Value)) -> String {
    let token = mint(&claims(|_| {}));
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut read = || serde_json::from_slice::<Value>(&parts.next().unwrap()).unwrap();
    let (mut head, mut claims) = (read(), read());
    header(&mut head);
    body(&mut claims);
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(head.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature =
        development::license_signer().signer().sign_document(Kind::License, input.as_bytes()).unwrap();
    format!("{input}.{signature}")
}

fn with_header(change: impl FnOnce(&mut Value)) -> &'static str {
    code(&signed_with(change, |_| {}))
}

fn with_claims(change: impl FnOnce(&mut Value)) -> &'static str {
    code(&signed_with(|_| {}, change))
}

fn licence_key_under(
    root: &dyn Signer,
    usage: Usage,
    not_after: &str,
    change: impl FnOnce(&mut CertificateRequest),
) -> Credential {
    let key = FileSigner::parse(generate_key().unwrap().as_bytes()).unwrap();
    let mut request = CertificateRequest {
        subject: "Test".to_owned(),
        key: key.public_key(),
        usage,
        issues: Vec::new(),
        engines: Namespace::all(),
        not_before: date("2026-01-01"),
        not_after: date(not_after),
    };
    change(&mut request);
    Credential::new(key, [issue_certificate(root, request).unwrap()]).unwrap()
}

#[test]
fn a_licence_of_the_vendor_is_believed() {
    let claims = claims(|_| {});
    let license = License::verify(&format!("  {}\n", mint(&claims)), &TrustStore::built_in()).unwrap();
    assert_eq!(license.claims(), &claims);
    assert_eq!(license.signer().subject, "DEVELOPMENT ONLY license");
}

#[test]
fn the_algorithm_is_never_negotiated() {
    for algorithm in ["none", "HS256", "ES256", "RS256", "eddsa", "EdDSA ", "Ed25519", ""] {
        assert_eq!(with_header(|header| header["alg"] = json!(algorithm)), "wrong_algorithm", "{algorithm}");
    }
}

#[test]
fn a_header_that_differs_in_anything_is_refused() {
    assert_eq!(with_header(|_| {}), "ok");
    for typ in [json!("JWT"), json!(null), json!("sysmanage-LICENSE")] {
        assert_eq!(with_header(|header| header["typ"] = typ), "wrong_type");
    }
    for (field, value) in [
        ("crit", json!([])),
        ("jwk", json!({})),
        ("x5u", json!("https://example.org")),
        ("b64", json!(false)),
    ] {
        assert_eq!(with_header(|header| header[field] = value), "malformed", "{field}");
    }
    assert_eq!(with_header(|header| header["chain"] = json!([])), "chain_length");
    assert_eq!(with_header(|header| header["kid"] = json!("00".repeat(16))), "wrong_key");
    assert_eq!(with_header(|header| header["kid"] = json!("../etc")), "malformed");
}

#[test]
fn claims_that_make_no_sense_are_refused() {
    assert_eq!(with_claims(|c| c["v"] = json!(2)), "unsupported_format");
    assert_eq!(with_claims(|c| c["id"] = json!("")), "malformed");
    assert_eq!(with_claims(|c| c["organisation"] = json!("x".repeat(201))), "malformed");
    assert_eq!(with_claims(|c| c["engines"] = json!([])), "malformed");
    assert_eq!(with_claims(|c| c["engines"] = json!([{"id": "*", "versions": "*"}])), "malformed");
    assert_eq!(with_claims(|c| c["engines"] = json!([{"id": "a", "versions": "latest"}])), "malformed");
    assert_eq!(with_claims(|c| c["exp"] = c["nbf"].clone()), "malformed");
    assert_eq!(with_claims(|c| c["iat"] = json!(i64::MAX)), "malformed");
    assert_eq!(with_claims(|c| c["grace_days"] = json!(-1)), "malformed");
    assert_eq!(with_claims(|c| c["hosts"] = json!("many")), "malformed");
}

#[test]
fn claims_of_a_later_version_are_ignored() {
    assert_eq!(with_claims(|c| c["invented_later"] = json!({"a": 1})), "ok");
}

#[test]
fn every_changed_character_is_noticed() {
    let good = mint(&claims(|_| {}));
    // A prime step visits header, claims and signature without taking all day.
    for at in (0..good.len()).step_by(7) {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_ne!(code(std::str::from_utf8(&changed).unwrap()), "ok", "character {at}");
    }
}

#[test]
fn claims_cannot_be_put_under_another_tokens_signature() {
    let (small, large) = (mint(&claims(|c| c.hosts = Some(5))), mint(&claims(|c| c.hosts = Some(5000))));
    let (_, signature) = small.rsplit_once('.').unwrap();
    let (input, _) = large.rsplit_once('.').unwrap();
    assert_eq!(code(&format!("{input}.{signature}")), "bad_signature");
}

#[test]
fn keys_that_may_not_sign_licences_are_refused() {
    let claims = claims(|_| {});
    let by = |credential: &Credential| code(&credential.issue_license(&claims).unwrap());
    assert_eq!(by(&development::publisher_signer()), "wrong_usage");
    assert_eq!(by(&development::acme_license_signer()), "unknown_root");
    let stranger = FileSigner::parse(generate_key().unwrap().as_bytes()).unwrap();
    assert_eq!(by(&licence_key_under(&stranger, Usage::License, "2030-01-01", |_| {})), "unknown_root");
}

#[test]
fn licence_keys_rotate_without_a_release() {
    for root in [development::root_signer(), development::second_root_signer()] {
        let next = licence_key_under(&root, Usage::License, "2030-01-01", |_| {});
        assert_eq!(code(&next.issue_license(&claims(|_| {})).unwrap()), "ok");
    }
}

#[test]
fn a_licence_must_have_been_issued_while_its_certificate_was_valid() {
    let short = licence_key_under(&development::root_signer(), Usage::License, "2026-07-01", |_| {});
    let issued = |at: &str| code(&short.issue_license(&claims(|c| c.iat = date(at))).unwrap());
    assert_eq!(issued("2026-06-30"), "ok", "it is good for ever, whatever becomes of the certificate");
    assert_eq!(issued("2026-07-02"), "expired_certificate");
    assert_eq!(issued("2025-12-31"), "not_yet_valid");
}

#[test]
fn acme_licenses_its_own_engines_and_no_others() {
    let mut store = TrustStore::built_in();
    let key = development::acme_root_signer().public_key();
    let engines = Namespace::new(["acme", "acme_*"]).unwrap();
    store.add_root(Root::third_party("acme", key, engines).unwrap()).unwrap();
    let token = |engines: &[&str]| {
        development::acme_license_signer().issue_license(&development::claims(engines, start())).unwrap()
    };
    assert!(License::verify(&token(&["acme_tools"]), &store).is_ok());
    let refused = License::verify(&token(&["acme_tools", "automation_engine"]), &store).unwrap_err();
    assert_eq!(refused.code(), "foreign_namespace");
}

#[test]
fn what_is_no_token_at_all_is_refused() {
    for text in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "e30.e30.AA", "{}"] {
        assert_eq!(code(text), "malformed", "{text}");
    }
    assert_eq!(code(&"A".repeat(UnverifiedToken::MAX_BYTES + 1)), "too_large");
}
