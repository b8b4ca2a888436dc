//! Keys, roots and kinds of documents.

use crate::world::{namespace, new_key};
use license_issuer::Signer;
use trust::{Kind, PublicKey, Root, Roots, TrustStore};

#[test]
fn the_compiled_in_roots_are_read() {
    assert_eq!(trust::roots().iter().filter(|root| root.name.starts_with("development")).count(), 2);
    Roots::parse(include_str!("../../roots/production.txt")).unwrap();
}

#[test]
fn a_signature_of_one_kind_is_worth_nothing_for_another() {
    let key = new_key();
    let kinds = [
        Kind::Certificate,
        Kind::Manifest,
        Kind::License,
        Kind::Revocations,
        Kind::InstanceProof,
        Kind::HostRequest,
        Kind::InstanceRequest,
        Kind::Conformance,
        Kind::UsageReceipt,
        Kind::Countersignature,
        Kind::Portal,
    ];
    for signed_as in kinds {
        let signature = key.sign_document(signed_as, b"eyJ9.eyJ9").unwrap();
        for read_as in kinds {
            let verified = key.public_key().verify(read_as, b"eyJ9.eyJ9", &signature).is_ok();
            assert_eq!(verified, signed_as == read_as, "{signed_as:?} read as {read_as:?}");
        }
    }
}

#[test]
fn no_licence_can_be_taken_for_another_kind() {
    // A licence has no prefix, so every other prefix holds a byte that base64url text has not.
    for kind in [
        Kind::Certificate,
        Kind::Manifest,
        Kind::Revocations,
        Kind::InstanceProof,
        Kind::HostRequest,
        Kind::InstanceRequest,
        Kind::Conformance,
        Kind::UsageReceipt,
        Kind::Countersignature,
        Kind::Portal,
    ] {
        assert!(kind.message(b"").starts_with(b"sysmanage:"));
    }
    assert_eq!(Kind::License.message(b"x"), b"x");
}

#[test]
fn a_key_survives_its_text_form_and_nothing_longer_does() {
    let key = new_key().public_key();
    assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
    assert_eq!(key.id().to_string().parse::<trust::KeyId>().unwrap(), key.id());
    for bad in [format!("{key}A"), key.to_string()[1..].to_owned(), format!("{key}="), String::new()] {
        assert_eq!(bad.parse::<PublicKey>().unwrap_err().code(), "malformed", "{bad}");
    }
    assert_eq!("A".repeat(1000).parse::<PublicKey>().unwrap_err().code(), "malformed");
}

#[test]
fn a_third_partys_root_must_be_confined_and_may_not_pose_as_the_vendor() {
    let key = new_key().public_key();
    for (name, engines) in [("acme", "*"), ("sysmanage", "acme_*"), ("Acme Corp", "acme_*")] {
        assert_eq!(Root::third_party(name, key, namespace(&[engines])).unwrap_err().code(), "refused_root");
    }
}

#[test]
fn one_key_cannot_be_trusted_twice() {
    let mut store = TrustStore::built_in();
    let vendor = trust::roots().iter().next().unwrap().key;
    let root = Root::third_party("acme", vendor, namespace(&["acme"])).unwrap();
    assert_eq!(store.add_root(root).unwrap_err().code(), "refused_root");
}
