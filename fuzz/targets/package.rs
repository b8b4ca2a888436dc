//! A package as any bytes, and as the content of a good zstd frame: read or refused, and never accepted unsigned.
#![no_main]

use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use plugin_runtime::{Limits, Package, Policy, Side};
use semver::Version;
use std::sync::LazyLock;
use trust::{Roots, TrustStore};

/// Nobody is trusted: whatever is accepted was not verified.
static NOBODY: LazyLock<TrustStore> = LazyLock::new(|| TrustStore::new(Roots::none()));

fuzz_target!(|data: &[u8]| {
    let limits = Limits { decompressed: 4 << 20, ..Limits::DEFAULT };
    let policy = Policy { limits, ..Policy::new(&NOBODY, Utc::now(), Side::Host(Version::new(0, 1, 0))) };
    assert!(Package::verify(data, &policy).is_err());
    if let Ok(frame) = zstd::bulk::compress(data, 1) {
        assert!(Package::verify(&frame[..], &policy).is_err());
    }
});
