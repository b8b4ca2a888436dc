//! Revocation lists: read or refused; one that is applied can be stored and restored.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trust::{TrustStore, UnverifiedRevocationList};

static BUILT_IN: LazyLock<TrustStore> = LazyLock::new(TrustStore::built_in);

fuzz_target!(|text: &str| {
    let _ = UnverifiedRevocationList::parse(text);
    let _ = UnverifiedRevocationList::parse_any(text);
    let mut store = BUILT_IN.clone();
    if store.apply_revocations(text).is_ok() {
        let mut restored = BUILT_IN.clone();
        assert!(restored.restore_revocations(&store.revocations().to_text()).is_empty());
        assert_eq!(restored.revocations(), store.revocations());
    }
});
