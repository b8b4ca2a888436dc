//! Sections taken apart into items.

use agent_protocol::items::{check, items, keys_of};
use serde_json::json;

fn check_of(section: &str) -> agent_protocol::inventory::Digest {
    check(&items(section.as_bytes()).unwrap())
}

#[test]
fn the_order_of_members_and_of_keyed_lists_does_not_matter() {
    let one = r#"{"sources":["dpkg"],"packages":[{"name":"b","version":"1"},{"name":"a","version":"2"}]}"#;
    let other = r#"{"packages":[{"version":"2","name":"a"},{"version":"1","name":"b"}],"sources":["dpkg"]}"#;
    assert_eq!(check_of(one), check_of(other));
    assert_ne!(check_of(one), check_of(&one.replace("\"2\"", "\"3\"")));
    assert_ne!(check_of(r#"{"a":["x","y"]}"#), check_of(r#"{"a":["y","x"]}"#));
}

#[test]
fn an_empty_list_is_no_item_and_the_first_key_wins() {
    assert_eq!(check_of(r#"{"packages":[]}"#), check_of("{}"));
    let found = items(br#"{"guests":[{"key":"lxd/1","name":"web","id":"1"}]}"#).unwrap();
    assert_eq!(found[0].key.as_deref(), Some("lxd/1"));
}

#[test]
fn a_list_with_a_key_twice_is_one_item() {
    let found = items(br#"{"packages":[{"name":"a"},{"name":"a"}]}"#).unwrap();
    assert_eq!((found.len(), found[0].key.as_deref()), (1, None));
    assert!(keys_of(&[json!({"name": "a"}), json!({"name": "a"})]).is_none());
}
