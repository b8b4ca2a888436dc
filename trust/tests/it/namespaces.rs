//! The syntax of namespaces.

use crate::world::namespace;
use proptest::prelude::*;
use trust::{Namespace, is_engine_id};

#[test]
fn a_namespace_holds_what_its_patterns_say() {
    for (patterns, inside, outside) in [
        (&["*"][..], &["acme", "automation_engine"][..], &["", "Acme", "a-b", "*"][..]),
        (&["acme"], &["acme"], &["acme_tools", "acmex", "acm"]),
        (&["acme_*"], &["acme_tools", "acme_a_b"], &["acme", "acme_", "acmex", "other"]),
        (&["acme", "acme_*"], &["acme", "acme_tools"], &["acmetools"]),
    ] {
        let namespace = namespace(patterns);
        inside.iter().for_each(|id| assert!(namespace.contains(id), "{id} in {patterns:?}"));
        outside.iter().for_each(|id| assert!(!namespace.contains(id), "{id} not in {patterns:?}"));
    }
}

#[test]
fn anything_else_is_no_pattern() {
    for bad in ["", "**", "acme*", "*acme", "acme.*", "_*", "Acme", "a*b", "acme_*_x", "1a"] {
        assert_eq!(Namespace::new([bad]).unwrap_err().code(), "malformed", "{bad}");
    }
    assert!(Namespace::new(Vec::<String>::new()).is_err());
    assert!(Namespace::new(vec!["a"; 65]).is_err());
    assert!(serde_json::from_str::<Namespace>("[\"acme*\"]").is_err());
}

proptest! {
    #[test]
    fn a_prefix_pattern_holds_only_ids_with_that_prefix(prefix in "[a-z]{1,3}_", id in "[a-z_]{1,8}") {
        let inside = namespace(&[&format!("{prefix}*")]).contains(&id);
        prop_assert_eq!(inside, is_engine_id(&id) && id.starts_with(&prefix) && id != prefix);
    }
}
