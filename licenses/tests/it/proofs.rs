//! The engine's own check: a patched host is not enough.

use crate::world::{Host, build, claims, days, start};
use chrono::{DateTime, Utc};
use licenses::{Decision, InstanceKey, ProofError, ProofParts, verify_proof};
use trust::TrustStore;

/// A host's answer, as it crosses the boundary.
#[derive(Clone)]
struct Proof {
    tokens: Vec<String>,
    revocations: Option<String>,
    public_key: String,
    nonce: String,
    signature: String,
    now: DateTime<Utc>,
}

fn prove(host: &Host, key: &InstanceKey, nonce: &str) -> Proof {
    let tokens = host.licenses.tokens();
    let revocations = Some(host.store.revocations().to_text());
    let signature = key.prove(&tokens, revocations.as_deref(), nonce, host.now);
    let public_key = key.public_key().to_string();
    Proof { tokens, revocations, public_key, nonce: nonce.to_owned(), signature, now: host.now }
}

fn check(proof: &Proof, nonce: &str) -> Result<Decision, ProofError> {
    let parts = ProofParts {
        tokens: &proof.tokens,
        revocations: proof.revocations.as_deref(),
        instance_public_key: &proof.public_key,
        nonce: &proof.nonce,
        signature: &proof.signature,
        now_unix_ms: proof.now.timestamp_millis(),
    };
    verify_proof(&parts, nonce, &build("1.0.0", "2026-06-01"), &TrustStore::built_in(), start())
}

fn key() -> InstanceKey {
    InstanceKey::from_pkcs8(&InstanceKey::generate().unwrap()).unwrap()
}

#[test]
fn a_proof_grants_what_the_licence_grants() {
    let proof = prove(&Host::with(|_| {}), &key(), "nonce-1");
    assert_eq!(check(&proof, "nonce-1").unwrap().code(), "granted");
}

#[test]
fn a_host_without_a_licence_proves_only_that() {
    let proof = prove(&Host::new(), &key(), "nonce-1");
    assert_eq!(check(&proof, "nonce-1").unwrap().code(), "no_license");
}

#[test]
fn an_old_answer_cannot_be_played_again() {
    let proof = prove(&Host::with(|_| {}), &key(), "nonce-1");
    assert_eq!(check(&proof, "nonce-2").unwrap_err().code(), "wrong_nonce");
    let renamed = Proof { nonce: "nonce-2".to_owned(), ..proof };
    assert_eq!(check(&renamed, "nonce-2").unwrap_err().code(), "bad_signature");
    let empty = prove(&Host::with(|_| {}), &key(), "");
    assert_eq!(check(&empty, "").unwrap_err().code(), "wrong_nonce");
}

#[test]
fn no_part_of_a_proof_can_be_exchanged() {
    let mut host = Host::with(|_| {});
    host.revoke(&["another".to_owned()], 1);
    let proof = prove(&host, &key(), "n");
    assert!(check(&proof, "n").is_ok());
    let changed = [
        Proof { tokens: Vec::new(), ..proof.clone() },
        Proof { revocations: None, ..proof.clone() },
        Proof { now: start() - days(1), ..proof.clone() },
        Proof { public_key: key().public_key().to_string(), ..proof.clone() },
    ];
    for proof in changed {
        assert_eq!(check(&proof, "n").unwrap_err().code(), "bad_signature");
    }
    assert_eq!(
        check(&Proof { public_key: "x".to_owned(), ..proof.clone() }, "n").unwrap_err().code(),
        "malformed"
    );
    assert_eq!(
        check(&Proof { now: DateTime::<Utc>::MIN_UTC, ..proof }, "n").unwrap_err().code(),
        "bad_signature"
    );
}

#[test]
fn a_licence_bound_to_one_host_proves_nothing_on_another() {
    let (mine, other) = (key(), key());
    let host = Host::with(|c| c.instance = Some(mine.public_key().id()));
    assert_eq!(check(&prove(&host, &mine, "n"), "n").unwrap().code(), "granted");
    assert_eq!(check(&prove(&host, &other, "n"), "n").unwrap().code(), "wrong_instance");
}

#[test]
fn a_patched_host_that_makes_up_a_licence_proves_nothing() {
    let mut proof = prove(&Host::new(), &key(), "n");
    let forger = key();
    proof.tokens = vec![
        license_issuer::development::stranger_publisher_signer().issue_license(&claims(|_| {})).unwrap(),
    ];
    proof.signature = forger.prove(&proof.tokens, proof.revocations.as_deref(), "n", proof.now);
    proof.public_key = forger.public_key().to_string();
    assert_eq!(check(&proof, "n").unwrap().code(), "no_license");
}

#[test]
fn the_engine_sees_a_revocation_and_a_lapse_itself() {
    let mut host = Host::with(|c| c.id = "L1".to_owned());
    host.now = start() + days(400);
    assert_eq!(check(&prove(&host, &key(), "n"), "n").unwrap().code(), "expired");
    host.revoke(&["L1".to_owned()], 1);
    assert_eq!(check(&prove(&host, &key(), "n"), "n").unwrap().code(), "revoked");
}

#[test]
fn a_host_that_lies_about_the_time_is_held_to_the_engines_clock() {
    let mut host = Host::with(|c| c.exp = Some(start() - chrono::Duration::hours(1)));
    host.now = start() - days(300);
    assert_eq!(check(&prove(&host, &key(), "n"), "n").unwrap().code(), "grace");
}

#[test]
fn an_agent_that_knows_a_newer_list_goes_by_it() {
    let mut host = Host::with(|c| c.id = "L1".to_owned());
    host.revoke(&[], 1);
    let proof = prove(&host, &key(), "n");
    host.revoke(&["L1".to_owned()], 2);
    let parts = ProofParts {
        tokens: &proof.tokens,
        revocations: proof.revocations.as_deref(),
        instance_public_key: &proof.public_key,
        nonce: &proof.nonce,
        signature: &proof.signature,
        now_unix_ms: proof.now.timestamp_millis(),
    };
    let decision = verify_proof(&parts, "n", &build("1.0.0", "2026-06-01"), &host.store, start()).unwrap();
    assert_eq!(decision.code(), "revoked");
}

#[test]
fn a_spoiled_revocation_list_is_refused() {
    let mut proof = prove(&Host::with(|_| {}), &key(), "n");
    let signer = key();
    proof.revocations = Some("[{\"chain\":[],\"list\":\"\"}]".to_owned());
    proof.signature = signer.prove(&proof.tokens, proof.revocations.as_deref(), "n", proof.now);
    proof.public_key = signer.public_key().to_string();
    assert_eq!(check(&proof, "n").unwrap_err().code(), "malformed");
}
