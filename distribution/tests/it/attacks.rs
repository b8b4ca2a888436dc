//! Attacks on the repository as a whole: each refused, each for its own reason.

use chrono::TimeDelta;
use distribution::DistributionError as Error;

use crate::world::{Host, broken, listed};

#[tokio::test]
async fn what_python_tuf_made_is_read_and_read_again() {
    let host = Host::of("good");
    let first = host.accepts(1).await;
    assert_eq!(listed(&first), ["audit 1.0.0", "backup 1.0.0"]);
    assert_eq!(broken(&first), []);
    let transport = host.state(1);
    let floors = first.floors(&transport).await.expect("floors");
    assert_eq!(floors["backup"].to_string(), "1.0.0");
    assert_eq!(first.advisories(&transport).await.expect("none"), []);
    assert_eq!(first.revocations(&transport).await.expect("none"), None);
    let second = host.accepts(2).await;
    assert_eq!(listed(&second), ["audit 1.0.0", "backup 1.0.0", "backup 1.1.0"]);
    assert_eq!(second.version(), 2);
    // Again, from what is trusted already, and without the repository.
    assert_eq!(listed(&host.accepts(2).await), listed(&second));
    let stored = host.client.stored().await.expect("trusted").expect("a refresh was done");
    assert_eq!(listed(&stored), listed(&second));
}

#[tokio::test]
async fn without_digests_versions_tell_what_is_new() {
    let host = Host::of("without_hashes");
    assert_eq!(listed(&host.accepts(1).await), ["audit 1.0.0", "backup 1.0.0"]);
    assert_eq!(listed(&host.accepts(1).await), ["audit 1.0.0", "backup 1.0.0"]);
}

#[tokio::test]
async fn nothing_is_stored_before_the_first_refresh() {
    let host = Host::of("good");
    assert!(host.client.stored().await.expect("no error").is_none());
}

fn assert_rollback(error: &Error, of: &str) {
    assert!(matches!(error, Error::Rollback { role, known: 2, offered: 1 } if role == of), "{error}");
}

#[tokio::test]
async fn a_rollback_of_the_timestamp_is_refused() {
    let host = Host::of("rollback_timestamp");
    host.accepts(1).await;
    host.accepts(2).await;
    assert_rollback(&host.refuses(3).await, "timestamp");
    // What was trusted stays so.
    host.accepts(2).await;
}

#[tokio::test]
async fn a_rollback_of_the_snapshot_is_refused() {
    let host = Host::of("rollback_snapshot");
    host.accepts(1).await;
    assert_rollback(&host.refuses(2).await, "snapshot");
}

#[tokio::test]
async fn a_rollback_of_targets_is_refused() {
    let host = Host::of("rollback_targets");
    host.accepts(1).await;
    assert_rollback(&host.refuses(2).await, "targets");
}

#[tokio::test]
async fn a_rollback_of_a_delegated_role_is_refused() {
    let host = Host::of("rollback_delegated");
    host.accepts(1).await;
    assert_rollback(&host.refuses(2).await, "acme");
}

#[tokio::test]
async fn a_role_that_vanishes_is_refused() {
    let host = Host::of("role_removed");
    host.accepts(1).await;
    assert!(matches!(host.refuses(2).await, Error::RoleRemoved(role) if role == "zeta"));
}

#[tokio::test]
async fn an_expired_role_is_a_freeze() {
    for of in ["timestamp", "snapshot", "targets", "root"] {
        let error = Host::of(&format!("freeze_{of}")).refuses(1).await;
        assert!(matches!(&error, Error::Expired { role, .. } if role == of), "{of}: {error}");
        assert!(error.to_string().contains("freeze"), "{error}");
    }
}

#[tokio::test]
async fn a_repository_that_stands_still_is_a_freeze() {
    let mut host = Host::of("good");
    host.accepts(1).await;
    host.later(TimeDelta::days(31));
    assert_eq!(host.refuses(1).await.code(), "expired");
    match host.client.stored().await {
        Err(error) => assert_eq!(error.code(), "expired"),
        Ok(_) => panic!("what has expired was believed"),
    }
}

#[tokio::test]
async fn patience_is_for_timestamp_and_snapshot_alone() {
    for (of, patient) in [("timestamp", true), ("snapshot", true), ("targets", false), ("root", false)] {
        let mut host = Host::of(&format!("freeze_{of}"));
        host.client = host.client.clone().with_patience(TimeDelta::days(1));
        assert_eq!(host.refresh(1).await.is_ok(), patient, "{of}");
        host.later(TimeDelta::days(1));
        assert_eq!(host.refuses(1).await.code(), "expired", "{of}");
    }
}

#[tokio::test]
async fn a_snapshot_of_another_edition_is_mix_and_match() {
    let host = Host::of("mix_snapshot");
    host.accepts(1).await;
    assert!(matches!(host.refuses(2).await, Error::MixedContent(role) if role == "snapshot"));
}

#[tokio::test]
async fn targets_of_another_edition_are_mix_and_match() {
    let error = Host::of("mix_targets").refuses(1).await;
    assert!(matches!(&error, Error::MixedContent(role) if role == "targets"), "{error}");
    let error = Host::of("mix_versions").refuses(1).await;
    assert!(
        matches!(&error, Error::MixedVersions { role, listed: 2, found: 1 } if role == "targets"),
        "{error}"
    );
}

#[tokio::test]
async fn targets_that_no_snapshot_lists_are_mix_and_match() {
    // To a new host; to one that knew them it is a rollback.
    let host = Host::of("mix_unlisted");
    assert!(matches!(host.refuses(2).await, Error::NotInSnapshot(role) if role == "targets"));
    let host = Host::of("mix_unlisted");
    host.accepts(1).await;
    assert!(matches!(host.refuses(2).await, Error::RoleRemoved(role) if role == "targets"));
}

#[tokio::test]
async fn versions_that_a_thief_made_high_are_forgotten_when_keys_rotate() {
    for scenario in
        ["fast_forward", "fast_forward_timestamp", "fast_forward_snapshot", "fast_forward_added_key"]
    {
        let host = Host::of(scenario);
        host.accepts(1).await;
        host.accepts(2).await;
    }
    let host = Host::of("fast_forward_without_rotation");
    host.accepts(1).await;
    assert_eq!(host.refuses(2).await.code(), "rollback");
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    for of in ["timestamp", "snapshot", "targets"] {
        for scenario in ["wrong_key", "other_key"] {
            let error = Host::of(&format!("{scenario}_{of}")).refuses(1).await;
            assert!(matches!(&error, Error::WrongKey(role) if role == of), "{of}: {error}");
        }
    }
}

#[tokio::test]
async fn a_threshold_that_is_not_met_is_refused() {
    let error = Host::of("threshold").refuses(1).await;
    assert!(
        matches!(&error, Error::ThresholdNotMet { role, valid: 1, threshold: 2 } if role == "targets"),
        "{error}"
    );
    Host::of("threshold").accepts(2).await;
}

#[tokio::test]
async fn one_key_does_not_count_twice() {
    assert_eq!(Host::of("threshold").refuses(3).await.code(), "key_twice");
    assert_eq!(Host::of("key_under_two_ids").refuses(1).await.code(), "key_twice");
}
