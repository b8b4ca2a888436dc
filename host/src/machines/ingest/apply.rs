//! A change of a section applied to what the host has.

use agent_protocol::items::{self, key_of, keys_of};
use serde_json::{Map, Value};

/// `base` with new and changed items, and without those that are gone.
pub(super) fn apply(base: &Value, upserts: &Value, removed: &[(String, Vec<String>)]) -> Value {
    let mut section = base.as_object().cloned().unwrap_or_default();
    for (member, keys) in removed {
        remove(&mut section, member, keys);
    }
    for (member, value) in upserts.as_object().into_iter().flatten() {
        match (section.get_mut(member), value) {
            (Some(Value::Array(old)), Value::Array(new)) if keys_of(new).is_some() => merge(old, new),
            _ => drop(section.insert(member.clone(), value.clone())),
        }
    }
    Value::Object(section)
}

fn remove(section: &mut Map<String, Value>, member: &str, keys: &[String]) {
    if keys.is_empty() {
        section.remove(member);
    } else if let Some(Value::Array(list)) = section.get_mut(member) {
        let gone: std::collections::HashSet<&str> = keys.iter().map(String::as_str).collect();
        list.retain(|element| !key_of(element).is_some_and(|key| gone.contains(key)));
    }
}

/// Lists stay sorted by key.
fn merge(old: &mut Vec<Value>, new: &[Value]) {
    let named: std::collections::HashSet<&str> = new.iter().filter_map(key_of).collect();
    old.retain(|element| !key_of(element).is_some_and(|key| named.contains(key)));
    old.extend(new.iter().cloned());
    old.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
}

/// What a section's items come to.
pub(super) fn check(section: &Value) -> Option<agent_protocol::inventory::Digest> {
    let bytes = serde_json::to_vec(section).ok()?;
    Some(items::check(&items::items(&bytes).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_added_changed_and_removed_by_key() {
        let base =
            json!({"packages": [{"key": "a", "v": 1}, {"key": "b", "v": 1}], "sources": ["x"], "cut": true});
        let upserts = json!({"packages": [{"key": "c", "v": 1}, {"key": "b", "v": 2}], "sources": ["y"]});
        let removed = [("packages".to_owned(), vec!["a".to_owned()]), ("cut".to_owned(), Vec::new())];
        let expected = json!({"packages": [{"key": "b", "v": 2}, {"key": "c", "v": 1}], "sources": ["y"]});
        let applied = apply(&base, &upserts, &removed);
        assert_eq!(applied, expected);
        assert_eq!(check(&applied), check(&expected));
        assert_ne!(check(&applied), check(&base));
    }
}
