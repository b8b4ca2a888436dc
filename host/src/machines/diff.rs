//! What changed between two versions of an inventory section, in terms people read.

use std::collections::BTreeMap;

use agent_protocol::items::{key_of, keys_of};
use serde_json::{Value, json};

/// Changes kept per new version of a section.
const MOST: usize = 500;

/// The changes from `before` to `after` as `{kind, path, before, after}`, and whether some were left out. Lists of named
/// elements are compared by name, so that one new package is one change.
pub(super) fn changes(before: &Value, after: &Value) -> (Vec<Value>, bool) {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    let truncated = found.len() > MOST;
    found.truncate(MOST);
    (found, truncated)
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Value>) {
    if before == after || found.len() > MOST {
        return;
    }
    match (members(before), members(after)) {
        (Some(old), Some(new)) => {
            // What comes and goes in a list is an item; in an object it is a fact of one.
            let (come, gone) = if after.is_array() { ("added", "removed") } else { ("changed", "changed") };
            for (key, value) in &old {
                let path = format!("{path}/{key}");
                match new.get(key) {
                    Some(other) => compare(&path, value, other, found),
                    None => found.push(told(gone, &path, value, &Value::Null)),
                }
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                found.push(told(come, &format!("{path}/{key}"), &Value::Null, value));
            }
        }
        _ => found.push(told("changed", path, before, after)),
    }
}

fn told(kind: &str, path: &str, before: &Value, after: &Value) -> Value {
    json!({"kind": kind, "path": path, "before": before, "after": after})
}

/// Members of an object, or elements of a list by their names.
fn members(value: &Value) -> Option<BTreeMap<String, &Value>> {
    match value {
        Value::Object(map) => Some(map.iter().map(|(k, v)| (k.clone(), v)).collect()),
        Value::Array(list) => {
            // Names that come twice name nothing.
            keys_of(list)?;
            Some(list.iter().filter_map(|v| Some((key_of(v)?.to_owned(), v))).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_upgraded_one_new_and_one_removed_package_are_three_changes() {
        let before = json!({"packages": [{"name": "a", "version": "1"}, {"name": "b", "version": "1"}]});
        let after = json!({"packages": [{"name": "c", "version": "1"}, {"name": "a", "version": "2"}]});
        let (found, truncated) = changes(&before, &after);
        assert!(!truncated);
        assert_eq!(
            found,
            [
                json!({"kind": "changed", "path": "/packages/a/version", "before": "1", "after": "2"}),
                json!({"kind": "removed", "path": "/packages/b", "before": {"name": "b", "version": "1"}, "after": null}),
                json!({"kind": "added", "path": "/packages/c", "before": null, "after": {"name": "c", "version": "1"}}),
            ]
        );
    }

    #[test]
    fn a_huge_change_is_cut() {
        let list =
            |v: &str| (0..2000).map(|i| json!({"name": i.to_string(), "version": v})).collect::<Value>();
        let (found, truncated) = changes(&list("1"), &list("2"));
        assert_eq!((found.len(), truncated), (MOST, true));
        assert!(changes(&list("1"), &list("1")).0.is_empty());
    }
}
