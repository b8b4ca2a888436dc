//! A small world of keys for the tests: the committed development keys, and certificates made to order.

use chrono::{DateTime, Utc};
use license_issuer::{
    CertificateRequest, Credential, FileSigner, Signer, development, generate_key, issue_certificate,
};
use trust::{Namespace, Root, TrustStore, Usage};

/// The moment at which these tests take place.
pub fn now() -> DateTime<Utc> {
    date("2026-06-01T00:00:00Z")
}

pub fn date(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn namespace(patterns: &[&str]) -> Namespace {
    Namespace::new(patterns.iter().copied()).unwrap()
}

pub fn new_key() -> FileSigner {
    FileSigner::parse(generate_key().unwrap().as_bytes()).unwrap()
}

/// A store that trusts the compiled-in roots, and acme for its own engines.
pub fn store() -> TrustStore {
    let mut store = TrustStore::built_in();
    let key = development::acme_root_signer().public_key();
    store.add_root(Root::third_party("acme", key, namespace(&["acme", "acme_*"])).unwrap()).unwrap();
    store
}

/// What to certify; tests change what they are about.
pub fn request(key: &dyn Signer, usage: Usage) -> CertificateRequest {
    CertificateRequest {
        subject: "Test".to_owned(),
        key: key.public_key(),
        usage,
        issues: Vec::new(),
        engines: Namespace::all(),
        not_before: date("2026-01-01T00:00:00Z"),
        not_after: date("2027-01-01T00:00:00Z"),
    }
}

/// A credential under `issuer`, with the request changed by `change`.
pub fn credential(
    issuer: &dyn Signer,
    usage: Usage,
    change: impl FnOnce(&mut CertificateRequest),
) -> Credential {
    let key = new_key();
    let mut request = request(&key, usage);
    change(&mut request);
    Credential::new(key, [issue_certificate(issuer, request).unwrap()]).unwrap()
}

/// An authority under `issuer` that may certify `issues`.
pub fn authority(
    issuer: &dyn Signer,
    issues: &[Usage],
    change: impl FnOnce(&mut CertificateRequest),
) -> Credential {
    credential(issuer, Usage::Authority, |request| {
        request.issues = issues.to_vec();
        change(request);
    })
}

/// A credential under an authority.
pub fn under(
    authority: &Credential,
    usage: Usage,
    change: impl FnOnce(&mut CertificateRequest),
) -> Credential {
    let key = new_key();
    let mut request = request(&key, usage);
    change(&mut request);
    let chain = authority.issue_chain(request).unwrap();
    Credential::new(key, chain).unwrap()
}
