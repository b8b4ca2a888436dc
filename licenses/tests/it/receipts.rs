//! Usage receipts: a chain that neither side can change, shorten, fork or date back.

use chrono::{DateTime, Duration, Utc};
use license_issuer::{Credential, development};
use licenses::InstanceKey;
use licenses::receipt::{
    Countersignature, Countersigned, Period, Receipt, ReceiptError, Standing, place, verify_chain,
};
use proptest::prelude::*;
use trust::{Kind, SignedDocument, TrustStore};

const LICENSE: &str = "2f9f8a30-0000-4000-8000-000000000001";

fn key() -> InstanceKey {
    InstanceKey::from_pkcs8(&InstanceKey::generate().unwrap()).unwrap()
}

fn day(n: i64) -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::days(n)
}

fn period(from: i64, machines: u64) -> Period {
    Period {
        from: day(from),
        until: day(from + 1),
        machines,
        child_machines: machines / 2,
        ledger: Some(format!("{from}:{}", "ab".repeat(32))),
    }
}

/// Receipts of consecutive days, one for each count of machines.
fn chain(key: &InstanceKey, machines: &[u64]) -> Vec<Receipt> {
    let mut receipts: Vec<Receipt> = Vec::new();
    for (n, count) in machines.iter().enumerate() {
        let next = period(n as i64, *count);
        receipts.push(Receipt::sign(key, LICENSE, receipts.last(), next).unwrap());
    }
    receipts
}

fn countersigned(receipt: &Receipt, at: DateTime<Utc>) -> String {
    development::portal_signer().countersign(receipt, at).unwrap()
}

#[test]
fn a_receipt_says_what_was_used_and_is_one_text() {
    let key = key();
    let receipts = chain(&key, &[3, 5]);
    let read = Receipt::verify(receipts[1].text()).unwrap();
    assert_eq!(read, receipts[1]);
    let usage = read.usage();
    assert_eq!((usage.sequence, usage.machines, usage.child_machines), (2, 5, 2));
    assert_eq!(usage.previous, Some(receipts[0].digest()));
    assert_eq!(usage.instance, key.public_key());
    assert_eq!((usage.license.as_str(), usage.from), (LICENSE, day(1)));
    let digest = receipts[0].digest().to_string();
    assert_eq!(digest.parse(), Ok(receipts[0].digest()));
    let text = receipts[1].text();
    for other in [format!("{text}="), format!(" {text}"), format!("{text}."), text.replace('.', "..")] {
        assert!(Receipt::verify(&other).is_err(), "{other}");
    }
}

#[test]
fn a_period_that_cannot_be_is_not_signed() {
    let key = key();
    let first = Receipt::sign(&key, LICENSE, None, period(3, 1)).unwrap();
    let backwards = Period { until: day(2), ..period(4, 1) };
    let code = |period, license: &str, key: &InstanceKey| {
        Receipt::sign(key, license, Some(&first), period).unwrap_err().code()
    };
    assert_eq!(code(backwards, LICENSE, &key), "malformed_receipt");
    assert_eq!(code(period(3, 1), LICENSE, &key), "receipt_back_dated");
    assert_eq!(code(period(4, 1), "another", &key), "receipt_wrong_chain");
    assert_eq!(code(period(4, 1), LICENSE, &self::key()), "receipt_wrong_chain");
    let long = Period { ledger: Some("x".repeat(201)), ..period(4, 1) };
    assert_eq!(code(long, LICENSE, &key), "malformed_receipt");
}

#[test]
fn a_later_format_and_a_text_too_long_are_told_apart() {
    let payload = br#"{"v":2,"new":true}"#.to_vec();
    let signature = development::portal_signer().signer().sign(&payload).unwrap();
    let text = SignedDocument { payload, signature }.to_string();
    assert_eq!(Receipt::verify(&text), Err(ReceiptError::UnsupportedFormat(2)));
    assert_eq!(Receipt::verify(&"a".repeat(5000)), Err(ReceiptError::TooLarge(Receipt::MAX_BYTES)));
}

#[test]
fn both_sides_can_show_a_countersigned_receipt() {
    let receipts = chain(&key(), &[7]);
    let text = countersigned(&receipts[0], day(2));
    let both = Countersigned::verify(&text, &TrustStore::built_in()).unwrap();
    assert_eq!((both.receipt(), both.at()), (&receipts[0], day(2)));
    assert_eq!(both.signer().usage, trust::Usage::Portal);
    // A receipt alone is not countersigned, and one that is countersigned is no receipt.
    let alone = Countersigned::verify(receipts[0].text(), &TrustStore::built_in()).unwrap_err();
    assert_eq!(alone.code(), "malformed_receipt");
    assert!(Receipt::verify(&text).is_err());
}

#[test]
fn only_the_portals_key_countersigns_and_only_this_receipt() {
    let store = TrustStore::built_in();
    let receipts = chain(&key(), &[7, 8]);
    for stranger in [development::license_signer(), development::stranger_publisher_signer()] {
        let text = stranger.countersign(&receipts[0], day(2)).unwrap();
        assert!(matches!(Countersigned::verify(&text, &store), Err(ReceiptError::Untrusted(_))));
    }
    let (first, second) = (countersigned(&receipts[0], day(2)), countersigned(&receipts[1], day(3)));
    let tail = |text: &str| text.splitn(3, '.').nth(2).unwrap().to_owned();
    let moved = format!("{}.{}", receipts[1].text(), tail(&first));
    assert_eq!(Countersigned::verify(&moved, &store), Err(ReceiptError::WrongReceipt(2)));
    assert!(Countersigned::verify(&format!("{}.{}", receipts[1].text(), tail(&second)), &store).is_ok());
    // Before the portal's certificate there was no portal.
    let early = countersigned(&receipts[0], "1999-01-01T00:00:00Z".parse().unwrap());
    assert!(matches!(Countersigned::verify(&early, &store), Err(ReceiptError::Untrusted(_))));
}

#[test]
fn a_document_of_another_kind_is_no_countersignature() {
    let receipts = chain(&key(), &[7]);
    let portal: Credential = development::portal_signer();
    let says = Countersignature::new(&receipts[0], day(2), portal.chain().clone());
    let payload = serde_json::to_vec(&says).unwrap();
    let signature = portal.signer().sign_document(Kind::Portal, &payload).unwrap();
    let text = Countersignature::compose(&receipts[0], &SignedDocument { payload, signature });
    let refused = Countersigned::verify(&text, &TrustStore::built_in()).unwrap_err();
    assert_eq!(refused.code(), "bad_signature");
}

#[test]
fn the_future_is_not_receipted_and_a_repeat_is_the_same() {
    let receipts = chain(&key(), &[1, 2]);
    let head = Some(&receipts[0]);
    assert_eq!(place(&receipts[1], head, None, day(2)), Ok(Standing::Next));
    assert_eq!(place(&receipts[1], head, None, day(2) - Duration::minutes(5)), Ok(Standing::Next));
    let early = place(&receipts[1], head, None, day(1)).unwrap_err();
    assert_eq!(early.code(), "receipt_from_the_future");
    // What is known stays known, whatever the time.
    assert_eq!(place(&receipts[0], Some(&receipts[1]), Some(&receipts[0]), day(0)), Ok(Standing::Known));
}

proptest! {
    #[test]
    fn a_whole_chain_is_taken_and_every_gap_and_order_refused(
        machines in prop::collection::vec(0u64..1000, 2..7),
        picks in prop::collection::vec(0usize..7, 2..7),
    ) {
        let receipts = chain(&key(), &machines);
        prop_assert_eq!(verify_chain(&receipts), Ok(()));
        // Any selection that is not a beginning of the chain is refused: gaps, repeats, other orders.
        let picked: Vec<usize> = picks.iter().map(|n| n % receipts.len()).collect();
        let whole = picked.iter().enumerate().all(|(n, pick)| n == *pick);
        let verdict = verify_chain(picked.iter().map(|n| &receipts[*n]));
        prop_assert_eq!(verdict.is_ok(), whole, "{:?}", picked);
    }

    #[test]
    fn no_byte_of_a_receipt_can_be_changed(at in 0usize..10_000, to in any::<u8>(), machines in 0u64..1000) {
        let receipt = chain(&key(), &[machines]).remove(0);
        let mut bytes = receipt.text().as_bytes().to_vec();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to && to.is_ascii());
        bytes[at] = to;
        let text = String::from_utf8(bytes).unwrap();
        // Base64 leaves spare bits in its last digit; the decoder refuses all but one form of them.
        prop_assert!(Receipt::verify(&text).is_err(), "{}", text);
    }

    #[test]
    fn no_byte_of_a_countersigned_receipt_can_be_changed(at in 0usize..100_000, to in any::<u8>()) {
        let receipt = chain(&key(), &[4]).remove(0);
        let mut bytes = countersigned(&receipt, day(2)).into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to && to.is_ascii());
        bytes[at] = to;
        let text = String::from_utf8(bytes).unwrap();
        prop_assert!(Countersigned::verify(&text, &TrustStore::built_in()).is_err(), "{}", text);
    }

    #[test]
    fn a_second_history_is_a_fork_wherever_it_begins(
        machines in prop::collection::vec(0u64..1000, 1..6),
        from in 0usize..6,
    ) {
        let key = key();
        let receipts = chain(&key, &machines);
        let from = from % receipts.len();
        // The host was put back to an older state, and told something else from there on.
        let before = from.checked_sub(1).map(|n| &receipts[n]);
        let other = Receipt::sign(&key, LICENSE, before, period(from as i64, machines[from] + 1)).unwrap();
        let head = receipts.last();
        let verdict = place(&other, head, Some(&receipts[from]), day(30));
        prop_assert_eq!(verdict, Err(ReceiptError::Fork(from as u64 + 1)));
        // The one after the other history does not fit the known head either.
        let next = Receipt::sign(&key, LICENSE, Some(&other), period(from as i64 + 1, 1)).unwrap();
        let verdict = place(&next, head, receipts.get(from + 1), day(30));
        prop_assert!(verdict.is_err(), "{:?}", verdict);
    }

    #[test]
    fn what_was_taken_once_is_known_and_what_is_missing_is_named(
        machines in prop::collection::vec(0u64..1000, 2..7),
        known in 0usize..7,
        sent in 0usize..7,
    ) {
        let receipts = chain(&key(), &machines);
        let (known, sent) = (known % (receipts.len() + 1), sent % receipts.len());
        let head = known.checked_sub(1).map(|n| &receipts[n]);
        let same = receipts[..known].get(sent);
        let verdict = place(&receipts[sent], head, same, day(30));
        let expected = match sent.cmp(&known) {
            std::cmp::Ordering::Less => Ok(Standing::Known),
            std::cmp::Ordering::Equal => Ok(Standing::Next),
            std::cmp::Ordering::Greater => {
                Err(ReceiptError::Gap { expected: known as u64 + 1, found: sent as u64 + 1 })
            }
        };
        prop_assert_eq!(verdict, expected);
    }
}
