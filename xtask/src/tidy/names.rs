//! Names that say nothing are banned.

use super::{Finding, files::Source};

const BANNED: [&str; 6] = ["common", "helper", "helpers", "manager", "util", "utils"];

/// No part of a Rust path may be a name that says nothing, nor `mod.rs`.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().filter(|s| s.is_rust()).filter_map(|s| banned(&s.path)).collect()
}

fn banned(path: &str) -> Option<Finding> {
    let mut parts = path.split('/').map(|p| p.trim_end_matches(".rs"));
    let part = parts.find(|p| BANNED.contains(p) || *p == "mod")?;
    Some(Finding::new(path, format!("`{part}` says nothing: name the purpose")))
}

#[cfg(test)]
mod tests {
    use super::banned;

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in ["host/src/utils.rs", "host/src/common/time.rs", "a/src/x/mod.rs"] {
            assert!(banned(path).is_some(), "{path}");
        }
        assert!(banned("host/src/machines/store.rs").is_none());
    }
}
