//! `plugin.toml`: what parses can be written, and parses to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plugin_api::Manifest;

fuzz_target!(|data: &[u8]| {
    let Ok(manifest) = Manifest::parse(data) else { return };
    let Ok(text) = manifest.to_toml() else { return };
    let again = Manifest::parse(text.as_bytes()).expect("what we wrote parses");
    // Text, because a NaN is unequal to itself.
    assert_eq!(format!("{again:?}"), format!("{manifest:?}"));
});
