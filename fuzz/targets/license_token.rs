//! Licence tokens: read or refused, never believed without a signature.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use licenses::{License, LicenseSet, UnverifiedToken};
use trust::{Roots, TrustStore};

static NOBODY: LazyLock<TrustStore> = LazyLock::new(|| TrustStore::new(Roots::none()));
static BUILT_IN: LazyLock<TrustStore> = LazyLock::new(TrustStore::built_in);

fuzz_target!(|text: &str| {
    if let Ok(token) = UnverifiedToken::parse(text) {
        assert_eq!(token.claims().format, licenses::Claims::FORMAT);
    }
    assert!(License::verify(text, &NOBODY).is_err());
    // A mutated golden stays good only where white space was added around it.
    if let Ok(license) = License::verify(text, &BUILT_IN) {
        assert_eq!(license.token(), text.trim());
    }
    let (set, _) = LicenseSet::restore([text], &NOBODY);
    assert!(set.is_empty());
});
