//! Requests that are carried to the portal by hand.

use licenses::{InstanceKey, InstanceRequest, ProofError};
use proptest::prelude::*;

use crate::world::start;

fn key() -> InstanceKey {
    InstanceKey::from_pkcs8(&InstanceKey::generate().unwrap()).unwrap()
}

#[test]
fn a_request_names_the_instance_that_wrote_it() {
    let key = key();
    let text = InstanceRequest::sign(&key, "host.example.org", start());
    let read = InstanceRequest::verify(&format!("\n{text}\n")).unwrap();
    assert_eq!((read.instance_id(), read.host.as_str()), (key.public_key().id(), "host.example.org"));
    assert_eq!(read.at, start());
    // A name of any length gives a request that reads.
    let long = InstanceRequest::sign(&key, &"ä".repeat(1000), start());
    assert!(InstanceRequest::verify(&long).is_ok());
}

#[test]
fn a_key_that_did_not_sign_is_not_named() {
    let (ours, other) = (key(), key());
    let text = InstanceRequest::sign(&ours, "a", start());
    let request = InstanceRequest { instance: other.public_key(), ..InstanceRequest::verify(&text).unwrap() };
    let payload = serde_json::to_vec(&request).unwrap();
    let signature = text.split_once('.').unwrap().1.parse().unwrap();
    let changed = trust::SignedDocument { payload, signature }.to_string();
    assert_eq!(InstanceRequest::verify(&changed), Err(ProofError::BadSignature));
    for odd in ["", ".", "a.b", &"x".repeat(5000)] {
        assert!(matches!(InstanceRequest::verify(odd), Err(ProofError::Malformed(_))), "{odd}");
    }
}

proptest! {
    #[test]
    fn no_byte_of_it_can_be_changed(at in 0usize..1000, to in any::<u8>()) {
        let mut bytes = InstanceRequest::sign(&key(), "host", start()).into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to && to.is_ascii_graphic());
        bytes[at] = to;
        prop_assert!(InstanceRequest::verify(&String::from_utf8(bytes).unwrap()).is_err());
    }
}
