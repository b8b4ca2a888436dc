//! Whatever bytes come in: an answer, never a panic.

use crate::world::{now, store};
use license_issuer::development;
use proptest::prelude::*;
use trust::{Certificate, RevocationBody, SignatureSet, SignedDocument, UnverifiedRevocationList, Usage};

/// Text that looks like what the parsers expect, more often than noise would.
fn lookalike() -> impl Strategy<Value = String> {
    let json = "[\\[\\]{}\",:a-z0-9._*-]{0,120}";
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}",
        json,
        "\\{\"v\":1,\"(signatures|list|chain|serial)\":(\\[\\]|\"\"|1|null)\\}",
        json.prop_map(|text| SignedDocument {
            payload: text.into_bytes(),
            signature: trust::Signature::from_bytes([7; 64])
        }
        .to_string()),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in lookalike()) {
        let _ = Certificate::parse(&text);
        let _ = UnverifiedRevocationList::parse_any(&text);
        let _ = SignatureSet::parse(text.as_bytes());
        let _ = store().restore_revocations(&text);
        let _ = trust::Roots::parse(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = SignatureSet::parse(&bytes);
        let _ = Certificate::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_single_change_to_a_certificate_is_believed(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        let good = development::publisher_signer().chain().0[0].clone();
        let mut text = good.clone().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        let text = String::from_utf8(text).unwrap();
        prop_assume!(text != good);
        prop_assert!(store().verify_chain(&trust::Chain(vec![text]), Usage::Publisher, now()).is_err());
    }

    #[test]
    fn no_truncated_list_is_believed(length in any::<prop::sample::Index>()) {
        let text = development::revocation_signer().issue_revocations(&RevocationBody::empty(1, now())).unwrap();
        prop_assert!(store().apply_revocations(&text[..length.index(text.len())]).is_err());
    }
}

#[test]
fn deep_nesting_and_large_documents_are_refused() {
    let deep = "[".repeat(100_000);
    assert_eq!(UnverifiedRevocationList::parse_any(&deep).unwrap_err().code(), "malformed");
    let deep = format!("{{\"v\":1,\"signatures\":{}", "[".repeat(10_000));
    assert_eq!(SignatureSet::parse(deep.as_bytes()).unwrap_err().code(), "malformed");
    let large = " ".repeat(UnverifiedRevocationList::MAX_BYTES + 1);
    assert_eq!(UnverifiedRevocationList::parse(&large).unwrap_err().code(), "too_large");
}
