//! Root chains.

use distribution::DistributionError as Error;

use crate::world::{Host, listed};

#[tokio::test]
async fn a_chain_is_followed_over_many_steps() {
    // Root keys change twice, so that no key of the first root is left; timestamp and targets change too.
    let host = Host::of("root_chain");
    assert_eq!(listed(&host.accepts(1).await), ["audit 1.0.0", "backup 1.0.0"]);
    host.accepts(2).await;
    // And from the first root, for a host that comes late.
    Host::of("root_chain").accepts(2).await;
    Host::of("root_chain_threshold").accepts(1).await;
}

#[tokio::test]
async fn a_link_that_lacks_old_or_own_signatures_is_refused() {
    for scenario in ["root_not_by_old", "root_not_by_own"] {
        let error = Host::of(scenario).refuses(1).await;
        assert!(matches!(&error, Error::WrongKey(role) if role == "3.root.json"), "{scenario}: {error}");
    }
}

#[tokio::test]
async fn a_chain_ends_at_a_gap() {
    // Root 4 is there and root 3 is not: what comes after is signed by keys that nobody vouches for.
    let error = Host::of("root_gap").refuses(1).await;
    assert!(matches!(&error, Error::WrongKey(role) if role == "timestamp"), "{error}");
}

#[tokio::test]
async fn a_link_of_another_version_or_kind_is_refused() {
    let error = Host::of("root_version").refuses(1).await;
    assert!(matches!(error, Error::RootVersion { expected: 2, found: 3 }), "{error}");
    let error = Host::of("root_of_another_kind").refuses(1).await;
    assert!(matches!(&error, Error::WrongType { found, .. } if found == "targets"), "{error}");
}

#[tokio::test]
async fn a_root_that_was_known_cannot_be_withheld() {
    // With the root of the start, the chain goes on from what is known.
    let mut host = Host::of("root_withheld");
    host.accepts(1).await;
    host.accepts(2).await;
    // With another root to begin from, it must reach what is known.
    host.client.root.push(b'\n');
    let error = host.refuses(2).await;
    assert!(matches!(error, Error::RootRollback { known: 2, offered: 1, .. }), "{error}");
    host.accepts(1).await;
}

#[tokio::test]
async fn a_chain_without_end_is_refused() {
    let mut host = Host::of("root_chain");
    host.client.limits.root_steps = 3;
    assert!(matches!(host.refuses(1).await, Error::RootChainTooLong(3)));
    // The links so far were good, and are kept.
    host.accepts(1).await;
}

#[tokio::test]
async fn a_repository_without_consistent_snapshots_is_refused() {
    assert!(matches!(Host::of("root_not_consistent").refuses(1).await, Error::NotConsistent));
}

#[tokio::test]
async fn a_root_that_does_not_vouch_for_itself_is_no_beginning() {
    let mut host = Host::of("good");
    let stranger = Host::of("rollback_timestamp");
    host.client.root = stranger.client.root.clone();
    assert!(matches!(host.refuses(1).await, Error::WrongKey(role) if role == "timestamp"));
    let text = String::from_utf8(stranger.client.root.clone()).expect("text");
    host.client.root = text.replacen("\"version\": 1", "\"version\": 2", 1).into_bytes();
    assert_ne!(host.client.root, stranger.client.root);
    assert_eq!(host.refuses(1).await.code(), "wrong_key");
}
