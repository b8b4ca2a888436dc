//! Requests of hosts to the portal.

use chrono::{DateTime, Duration, Utc};
use licenses::{HostProof, InstanceKey, ProofError, SignedRequest};
use proptest::prelude::*;

fn key() -> InstanceKey {
    InstanceKey::from_pkcs8(&InstanceKey::generate().unwrap()).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn request<'a>(method: &'a str, target: &'a str, body: &[u8]) -> SignedRequest<'a> {
    SignedRequest { method, target, body: SignedRequest::digest(body) }
}

#[test]
fn a_request_tells_who_sent_it() {
    let key = key();
    let sent = request("POST", "/api/v1/hosts/contact?x=1", b"{}");
    let header = HostProof::sign(&key, "a.licence.token", &sent, now());
    assert!(HostProof::is_one(&header));
    let proof = HostProof::verify(&header, &sent, now() + Duration::minutes(5)).unwrap();
    assert_eq!(proof.instance_id(), key.public_key().id());
    assert_eq!(proof.license, "a.licence.token");
}

#[test]
fn another_request_cannot_be_made_of_it() {
    let sent = request("GET", "/tuf/targets/a", b"");
    let header = HostProof::sign(&key(), "token", &sent, now());
    for other in [
        request("POST", "/tuf/targets/a", b""),
        request("GET", "/tuf/targets/b", b""),
        request("GET", "/tuf/targets/a?", b""),
        request("GET", "/tuf/targets/a", b"x"),
        request("GET/tuf", "/targets/a", b""),
    ] {
        assert_eq!(HostProof::verify(&header, &other, now()), Err(ProofError::BadSignature), "{other:?}");
    }
}

#[test]
fn it_is_good_for_some_minutes() {
    let sent = request("GET", "/", b"");
    let header = HostProof::sign(&key(), "token", &sent, now());
    let apart = HostProof::TOLERANCE + Duration::milliseconds(1);
    for time in [now() + apart, now() - apart] {
        let error = HostProof::verify(&header, &sent, time).unwrap_err();
        assert_eq!(error.code(), "stale");
        assert!(error.to_string().contains("NTP"), "{error}");
    }
}

proptest! {
    #[test]
    fn hostile_headers_are_refused(text in ".{0,200}", cut in 0usize..400, flip in 0usize..400) {
        let sent = request("GET", "/", b"");
        prop_assert!(HostProof::verify(&text, &sent, now()).is_err());
        let schemed = ["SysManage-Host ", &text].concat();
        prop_assert!(HostProof::verify(&schemed, &sent, now()).is_err());
        let good = HostProof::sign(&key(), "token", &sent, now());
        let cut = cut % good.len();
        prop_assert!(HostProof::verify(&good[..cut], &sent, now()).is_err());
        let mut bytes = good.clone().into_bytes();
        let at = flip % bytes.len();
        bytes[at] ^= 1;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(HostProof::verify(&text, &sent, now()).is_err(), "{}", text);
        }
    }
}
