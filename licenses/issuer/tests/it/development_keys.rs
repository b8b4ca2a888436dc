//! The committed development keys are what their README says.

use chrono::Utc;
use license_issuer::{Credential, Signer, development};
use licenses::License;
use trust::{TrustStore, Usage};

fn trusted(credential: &Credential, usage: Usage) -> bool {
    TrustStore::built_in().verify_chain(credential.chain(), usage, Utc::now()).is_ok()
}

#[test]
fn debug_builds_trust_both_roots_and_what_they_certified() {
    let roots = trust::roots();
    for root in [development::root_signer(), development::second_root_signer()] {
        assert!(roots.find(&root.public_key().id()).is_some());
    }
    assert!(trusted(&development::publisher_signer(), Usage::Publisher));
    assert!(trusted(&development::license_signer(), Usage::License));
    assert!(trusted(&development::revocation_signer(), Usage::Revocation));
    assert!(trusted(&development::portal_signer(), Usage::Portal));
}

#[test]
fn nobody_trusts_acme_or_the_stranger_unasked() {
    assert!(!trusted(&development::acme_publisher_signer(), Usage::Publisher));
    assert!(!trusted(&development::acme_license_signer(), Usage::License));
    assert!(!trusted(&development::stranger_publisher_signer(), Usage::Publisher));
    let key = development::acme_root_signer().public_key();
    assert_eq!(include_str!("../../../development-keys/acme-root.pub").trim(), key.to_string());
}

#[test]
fn a_development_licence_is_a_licence() {
    let token = development::license(&["automation_engine", "fleet_engine"], Utc::now());
    let license = License::verify(&token, &TrustStore::built_in()).unwrap();
    assert_eq!(license.claims().engines.len(), 2);
}
