//! A key and the certificates that vouch for it.

use license_issuer::{CertificateRequest, Credential, Signer, development, issue_certificate};
use trust::{Certificate, Namespace, Usage};

fn request(key: &dyn Signer) -> CertificateRequest {
    CertificateRequest {
        subject: "Test".to_owned(),
        key: key.public_key(),
        usage: Usage::License,
        issues: Vec::new(),
        engines: Namespace::all(),
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2027-01-01T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn a_certificate_says_what_was_asked_for_under_a_serial_of_its_own() {
    let (root, key) = (development::root_signer(), development::second_root_signer());
    let issue = || Certificate::parse(&issue_certificate(&root, request(&key)).unwrap()).unwrap();
    let (one, two) = (issue(), issue());
    assert_ne!(one.body().serial, two.body().serial);
    assert_eq!(one.body().key, key.public_key());
    assert_eq!(one.body().issuer, root.public_key().id());
}

#[test]
fn a_key_with_another_keys_certificate_is_no_credential() {
    let certificate = development::license_signer().chain().0.clone();
    let refused = Credential::new(development::root_signer(), certificate).err().unwrap();
    assert_eq!(refused.code(), "wrong_key");
    assert_eq!(Credential::new(development::root_signer(), []).err().unwrap().code(), "chain_length");
    let noise = Credential::new(development::root_signer(), ["noise".to_owned()]).err().unwrap();
    assert_eq!(noise.code(), "malformed");
}
