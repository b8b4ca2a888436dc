//! Rules about what may stand where, checked as text.

use super::{Finding, files::Source};

/// A word, the only places it may stand in, and why.
struct Rule {
    word: &'static str,
    only_in: &'static [&'static str],
    advice: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        word: concat!("catch_", "unwind("),
        only_in: &["plugin-api/sdk/src/", "plugin-api/runtime/src/in_process.rs"],
        advice: "panics are caught by the SDK's guard, and by the runtime for an engine built without it",
    },
    Rule {
        word: concat!("abi_", "stable"),
        only_in: &["plugin-api/", "plugins/", "tests/engines/", "agent/tests/half/", "xtask/"],
        advice: "the ABI crate is named in the contract, its runtime and its SDK only",
    },
    Rule {
        word: concat!("dl", "open("),
        only_in: &["plugin-api/runtime/src/"],
        advice: "only the runtime loads libraries, after it has verified them",
    },
    Rule {
        word: concat!("BEGIN ", "PRIVATE KEY"),
        only_in: &[
            "licenses/development-keys/",
            "licenses/issuer/src/file.rs",
            "licenses/issuer/tests/it/key_files.rs",
            "agent/tests/it/storage.rs",
        ],
        advice: "no private key in the repository but the development ones; the rest only know the format",
    },
];

/// Check every text file.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for s in sources {
        if s.is_rust() && !s.text.trim_start().starts_with("//!") && !s.text.trim_start().starts_with("#!") {
            findings.push(Finding::new(&s.path, "begin with a `//!` line that says the file's purpose"));
        }
        let code = s.is_rust() || s.path.ends_with(".pem") || s.path.ends_with(".key");
        for rule in RULES.iter().filter(|r| code && s.text.contains(r.word)) {
            if !rule.only_in.iter().any(|place| s.path.starts_with(place)) {
                findings.push(Finding::new(&s.path, format!("`{}`: {}", rule.word, rule.advice)));
            }
        }
        if s.path.ends_with("Cargo.toml") && s.text.contains("description = \"TODO\"") {
            findings.push(Finding::new(&s.path, "describe the crate"));
        }
    }
    findings.extend(layers(sources));
    findings
}

/// Routes translate, services decide, stores query: the slices of host, portal and engines keep their layers apart.
fn layers(sources: &[Source]) -> Vec<Finding> {
    let services = ["host/src/", "portal/src/"];
    let slice = |p: &str| {
        services.iter().any(|s| p.starts_with(s)) || (p.starts_with("plugins/") && p.contains("/src/"))
    };
    let mut findings = Vec::new();
    for s in sources.iter().filter(|s| s.is_rust() && slice(&s.path)) {
        let name = s.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let in_folder = |folder: &str| s.path.contains(&format!("/{folder}/")) || name == folder;
        if name == "service" && (s.text.contains("use axum") || s.text.contains("axum::")) {
            findings.push(Finding::new(&s.path, "a service knows no HTTP: move it to routes"));
        }
        if in_folder("routes") && (s.text.contains("EntityTrait") || s.text.contains("sea_orm::Query")) {
            findings.push(Finding::new(&s.path, "routes do not query: move it to the store"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(path: &str, text: &str) -> Vec<String> {
        check(&[Source { path: path.into(), text: text.into() }]).into_iter().map(|f| f.advice).collect()
    }

    #[test]
    fn a_file_without_a_purpose_is_found() {
        assert_eq!(advice("host/src/a.rs", "fn a() {}").len(), 1);
        assert!(advice("host/src/a.rs", "//! Why.\nfn a() {}").is_empty());
    }

    #[test]
    fn a_second_panic_guard_is_found() {
        let text = concat!("//! Why.\nfn a() { catch_", "unwind(|| ()) }");
        assert_eq!(advice("host/src/a.rs", text).len(), 1);
        assert!(advice("plugin-api/sdk/src/guard.rs", text).is_empty());
    }

    #[test]
    fn a_query_in_a_route_is_found() {
        assert_eq!(advice("host/src/users/routes.rs", "//! Why.\nuse sea_orm::EntityTrait;").len(), 1);
        assert!(advice("host/src/users/store.rs", "//! Why.\nuse sea_orm::EntityTrait;").is_empty());
    }
}
