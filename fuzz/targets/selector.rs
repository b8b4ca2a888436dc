//! Selectors of machines: parsed or refused with a place inside the text; what parses compiles to a condition.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysmanage::selector::Selector;

fuzz_target!(|text: &str| {
    match text.parse::<Selector>() {
        Ok(selector) => {
            match selector.to_string().parse::<Selector>() {
                Ok(again) => assert_eq!(again, selector),
                // What is written out may be longer than what was read.
                Err(error) => assert_eq!(error.problem.code(), "too_big"),
            }
        }
        Err(error) => {
            assert!(error.at >= 1 && error.at <= text.chars().count() + 1);
            assert!(!error.to_string().is_empty());
        }
    }
});
