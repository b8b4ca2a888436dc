//! Certificates and chains of them.
#![no_main]

use std::sync::LazyLock;

use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use trust::{Certificate, Chain, Roots, TrustStore, Usage};

static NOBODY: LazyLock<TrustStore> = LazyLock::new(|| TrustStore::new(Roots::none()));
static BUILT_IN: LazyLock<TrustStore> = LazyLock::new(TrustStore::built_in);

fuzz_target!(|text: &str| {
    let _ = Certificate::parse(text);
    let _ = Roots::parse(text);
    let chain = Chain(text.lines().map(str::to_owned).collect());
    let _ = chain.parse();
    assert!(NOBODY.verify_chain(&chain, Usage::Publisher, Utc::now()).is_err());
    let _ = BUILT_IN.verify_chain(&chain, Usage::Publisher, Utc::now());
});
