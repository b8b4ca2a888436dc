//! What changed between two versions of an inventory section, in terms people read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Changes kept per new version of a section.
const MOST: usize = 500;
/// Members that name the elements of a list, the first that all elements have.
const KEYS: [&str; 5] = ["id", "name", "path", "mount", "address"];

/// The changes from `before` to `after` as `{path, before, after}`, and whether some were left out. Lists of named
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
            for (key, value) in &old {
                let other = new.get(key).copied().unwrap_or(&Value::Null);
                compare(&format!("{path}/{key}"), value, other, found);
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                compare(&format!("{path}/{key}"), &Value::Null, value, found);
            }
        }
        _ => found.push(json!({"path": path, "before": before, "after": after})),
    }
}

/// Members of an object, or elements of a list by their names.
fn members(value: &Value) -> Option<BTreeMap<String, &Value>> {
    match value {
        Value::Object(map) => Some(map.iter().map(|(k, v)| (k.clone(), v)).collect()),
        Value::Array(list) => {
            let key = KEYS.iter().find(|key| list.iter().all(|v| v[**key].is_string()))?;
            let named: BTreeMap<String, &Value> =
                list.iter().filter_map(|v| Some((v[*key].as_str()?.to_owned(), v))).collect();
            // Names that come twice name nothing.
            (named.len() == list.len()).then_some(named)
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
                json!({"path": "/packages/a/version", "before": "1", "after": "2"}),
                json!({"path": "/packages/b", "before": {"name": "b", "version": "1"}, "after": null}),
                json!({"path": "/packages/c", "before": null, "after": {"name": "c", "version": "1"}}),
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
