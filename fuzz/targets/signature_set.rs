//! `plugin.sig`: what parses is written and read back the same; nothing is believed over other bytes.
#![no_main]

use std::sync::LazyLock;

use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use trust::{SignatureSet, TrustStore, Usage};

static BUILT_IN: LazyLock<TrustStore> = LazyLock::new(TrustStore::built_in);

fuzz_target!(|data: &[u8]| {
    let Ok(set) = SignatureSet::parse(data) else { return };
    let again = set.to_bytes();
    if again.len() <= SignatureSet::MAX_BYTES {
        assert_eq!(SignatureSet::parse(&again), Ok(set.clone()));
    }
    assert!(set.verify(b"never signed", Usage::Publisher, "example", Utc::now(), &BUILT_IN).is_err());
});
