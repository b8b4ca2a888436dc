//! What was found, for `cargo xtask engine conformance`, which signs it.

use plugin_sdk::{Exported, export};
use serde_json::json;

/// Names the file to write; the tests run without one otherwise.
const FILE: &str = "SYSMANAGE_CONFORMANCE_REPORT";
/// What is checked.
const CHECKS: [&str; 8] = [
    "The manifest is valid and has the crate's version; commands and manifest agree.",
    "Every route that the manifest exports is one of the engine's.",
    "Every route carries a permission that the manifest declares, and every permission is on a route.",
    "The OpenAPI document is sound: unique operation ids, answers, parameters as in the path.",
    "Migrations are ordered, give the same text every time, and touch the engine's own tables only, on both databases.",
    "On an empty database no GET fails.",
    "Without permissions nothing is done or told, and nonsense is answered with 4xx.",
    "Without a licence every route of a paid engine answers 402.",
];

/// Write down what was found, where somebody asks for it.
pub(super) fn write<E: Exported>(wrong: &[String]) {
    let Some(file) = std::env::var_os(FILE) else { return };
    let manifest = export::manifest::<E>().ok();
    let report = json!({
        "engine": manifest.as_ref().map(|m| m.id.as_str()),
        "version": manifest.as_ref().map(|m| m.version.to_string()),
        "api": plugin_api::API_VERSION,
        "checks": CHECKS,
        "wrong": wrong,
    });
    std::fs::write(&file, report.to_string()).expect("the file that was asked for can be written");
}
