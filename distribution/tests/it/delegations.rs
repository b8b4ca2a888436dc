//! Delegations: a bad one is told and harms no other.

use crate::world::{Host, broken, listed};

/// What is listed and what is broken in the first state.
async fn look(scenario: &str) -> (Vec<String>, Vec<(String, &'static str)>) {
    let repository = Host::of(scenario).accepts(1).await;
    let broken = broken(&repository).into_iter().map(|(role, code)| (role.to_owned(), code)).collect();
    (listed(&repository), broken)
}

#[tokio::test]
async fn a_bad_delegation_harms_no_other() {
    for (scenario, code) in [
        ("key", "wrong_key"),
        ("expired", "expired"),
        ("missing", "missing"),
        ("content", "mixed_content"),
        ("garbage", "malformed"),
        ("unlisted", "not_in_snapshot"),
        ("threshold", "threshold_not_met"),
    ] {
        let (listed, broken) = look(&format!("bad_delegation_{scenario}")).await;
        assert_eq!(listed, ["audit 1.0.0"], "{scenario}");
        assert_eq!(broken, [("acme".to_owned(), code)], "{scenario}");
    }
}

#[tokio::test]
async fn a_publisher_speaks_for_its_own_paths_alone() {
    let (listed, broken) = look("foreign_path").await;
    assert_eq!(listed, ["audit 1.0.0", "backup 1.0.0"]);
    assert_eq!(broken, [("acme".to_owned(), "not_delegated")]);
}

#[tokio::test]
async fn a_release_is_what_its_path_says() {
    let (listed, broken) = look("false_release").await;
    assert_eq!(listed, ["audit 1.0.0", "backup 1.0.0"]);
    assert_eq!(broken, [("acme".to_owned(), "bad_release")]);
}

#[tokio::test]
async fn the_first_role_that_has_a_path_speaks_for_it() {
    assert_eq!(look("priority").await, (vec!["backup 1.0.0".to_owned(), "backup 2.0.0".to_owned()], vec![]));
    let repository = Host::of("priority").accepts(1).await;
    let roles: Vec<&str> = repository.releases().iter().map(|l| l.role.as_str()).collect();
    assert_eq!(roles, ["first", "second"]);
}

#[tokio::test]
async fn after_a_terminating_delegation_nobody_is_asked() {
    let (listed, broken) = look("terminating").await;
    assert_eq!(listed, ["backup 1.0.0"]);
    assert_eq!(broken, [("second".to_owned(), "not_delegated")]);
}

#[tokio::test]
async fn breaking_a_role_does_not_hand_its_paths_to_another() {
    let (listed, broken) = look("broken_first").await;
    assert_eq!(listed, ["audit 1.0.0"]);
    assert_eq!(broken, [("first".to_owned(), "wrong_key"), ("second".to_owned(), "not_delegated")]);
}

#[tokio::test]
async fn a_publisher_delegates_no_more_than_it_has() {
    let (listed, broken) = look("nested").await;
    assert_eq!(listed, ["audit 1.0.0", "backup 1.0.0"]);
    assert_eq!(broken, [("team".to_owned(), "not_delegated")]);
}

#[tokio::test]
async fn a_publisher_cannot_take_the_name_of_another_ones_role() {
    let (listed, broken) = look("stolen_name").await;
    assert_eq!(listed, ["audit 1.0.0", "backup 1.0.0"]);
    assert_eq!(broken, [("zeta".to_owned(), "delegated_twice")]);
}

#[tokio::test]
async fn prefixes_of_digests_delegate_too() {
    let (listed, broken) = look("prefixes").await;
    assert_eq!(listed, ["backup 1.0.0"]);
    assert_eq!(broken, [("acme".to_owned(), "not_delegated")]);
}

#[tokio::test]
async fn patterns_and_names_that_are_read_differently_are_refused() {
    let (listed, broken) = look("strange_pattern").await;
    assert_eq!((listed, broken), (vec!["audit 1.0.0".into()], vec![("acme".into(), "unknown_pattern")]));
    let (listed, broken) = look("strange_role").await;
    assert_eq!(listed, ["audit 1.0.0"]);
    assert_eq!(broken, [("../zeta".to_owned(), "unsafe_name"), ("Snapshot".to_owned(), "unsafe_name")]);
}

#[tokio::test]
async fn names_that_differ_only_in_case_are_refused() {
    let (listed, broken) = look("names_case").await;
    assert_eq!(listed, ["audit 1.0.0"]);
    assert_eq!(broken, [("acme".to_owned(), "names_differ_in_case")]);
    assert_eq!(Host::of("names_case_top").refuses(1).await.code(), "names_differ_in_case");
    let (listed, broken) = look("names_case_across").await;
    assert_eq!(listed, ["backup 1.0.0"]);
    assert_eq!(broken, [("zeta".to_owned(), "names_differ_in_case")]);
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    for (scenario, code) in [
        ("up", "unsafe_name"),
        ("absolute", "unsafe_name"),
        ("backslash", "unsafe_name"),
        ("dots", "unsafe_name"),
    ] {
        let (listed, broken) = look(&format!("traversal_{scenario}")).await;
        assert_eq!(listed, ["audit 1.0.0"], "{scenario}");
        assert_eq!(broken, [("acme".to_owned(), code)], "{scenario}");
    }
    let host = Host::of("traversal_top");
    assert_eq!(host.refuses(1).await.code(), "unsafe_name");
    // Nothing was written beside the folder of trusted metadata.
    let beside: Vec<_> = std::fs::read_dir(host.folder.path()).expect("a folder").collect();
    assert_eq!(beside.len(), 1, "{beside:?}");
}

#[tokio::test]
async fn more_roles_than_are_followed_are_told() {
    let mut host = Host::of("good");
    host.client.limits.roles = 1;
    let repository = host.accepts(1).await;
    assert_eq!(broken(&repository), [("zeta", "too_many_roles")]);
    let mut host = Host::of("nested");
    host.client.limits.depth = 1;
    let repository = host.accepts(1).await;
    assert_eq!((listed(&repository).len(), broken(&repository)), (1, vec![("team", "too_many_roles")]));
}
