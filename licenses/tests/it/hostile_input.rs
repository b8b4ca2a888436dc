//! Whatever text comes in: an answer, never a panic.

use crate::world::{Host, claims, mint, start};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use licenses::{License, LicenseSet, ProofParts, UnverifiedToken, verify_proof};
use proptest::prelude::*;
use trust::TrustStore;

fn lookalike() -> impl Strategy<Value = String> {
    let json = "\\{(\"(v|alg|typ|id|iat|exp)\":(\"EdDSA\"|1|-1|99999999999999|null|\\[\\]),?){0,5}\\}?";
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,90}",
        (json, json).prop_map(|(header, claims)| {
            let part = |text: String| URL_SAFE_NO_PAD.encode(text);
            format!("{}.{}.{}", part(header), part(claims), "A".repeat(86))
        }),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in lookalike()) {
        let store = TrustStore::built_in();
        prop_assert!(License::verify(&text, &store).is_err());
        let _ = UnverifiedToken::parse(&text);
        let (set, _) = LicenseSet::restore([text.as_str()], &store);
        prop_assert!(set.is_empty());
    }

    #[test]
    fn any_proof_is_read_or_refused(a in lookalike(), b in lookalike(), c in "[A-Za-z0-9_-]{43}", now in any::<i64>()) {
        let tokens = [a.clone()];
        let parts = ProofParts {
            tokens: &tokens,
            revocations: Some(&b),
            instance_public_key: &c,
            nonce: "n",
            signature: &format!("{c}{c}"),
            now_unix_ms: now,
        };
        let build = crate::world::build("1.0.0", "2026-06-01");
        prop_assert!(verify_proof(&parts, "n", &build, &TrustStore::built_in(), start()).is_err());
    }

    #[test]
    fn no_single_change_to_a_token_is_believed(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        let good = mint(&claims(|_| {}));
        let mut text = good.clone().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        let text = String::from_utf8(text).unwrap();
        prop_assume!(text.trim() != good);
        prop_assert!(License::verify(&text, &TrustStore::built_in()).is_err());
    }

    #[test]
    fn any_date_can_be_decided_at(seconds in any::<i64>()) {
        let host = Host::with(|c| c.offline_days = Some(30));
        if let Some(at) = chrono::DateTime::from_timestamp(seconds, 0) {
            host.code_at(at);
        }
        host.code_at(chrono::DateTime::<chrono::Utc>::MAX_UTC);
        host.code_at(chrono::DateTime::<chrono::Utc>::MIN_UTC);
    }
}
