//! A section taken apart into items, so that both sides name, hash and compare them alike.
//!
//! A section is a JSON object. A member that is a list of objects with a key each, none twice, is as many items as
//! it has elements; any other member is one item. An empty list is none. An element's key is the first of
//! [`KEYS`] that is a string in it.

use std::collections::{BTreeMap, BTreeSet};

use ring::digest::{Context, SHA256, digest};
use serde_json::{Value, value::RawValue};

use crate::inventory::Digest;

/// Members that name the elements of a list, the most telling first.
pub const KEYS: [&str; 7] = ["key", "id", "name", "path", "mount_point", "mount", "address"];

/// One item of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// The section's member it is of.
    pub member: String,
    /// Its key within a list; none when it is the whole member.
    pub key: Option<String>,
    /// Its JSON as it came.
    pub raw: &'a str,
    /// SHA-256 of where it is and of its canonical form.
    pub hash: [u8; 32],
}

/// Take a section apart.
pub fn items(section: &[u8]) -> Result<Vec<Item<'_>>, serde_json::Error> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(section)?;
    let mut found = Vec::new();
    for (member, raw) in members {
        if !push_list(&member, raw.get(), &mut found)? {
            let hash = hash(&member, None, &serde_json::from_str(raw.get())?);
            found.push(Item { member, key: None, raw: raw.get(), hash });
        }
    }
    Ok(found)
}

/// The items of a keyed list. False, and nothing pushed, when it is none.
fn push_list<'a>(member: &str, raw: &'a str, found: &mut Vec<Item<'a>>) -> Result<bool, serde_json::Error> {
    if !raw.trim_start().starts_with('[') {
        return Ok(false);
    }
    let (elements, from): (Vec<&'a RawValue>, usize) = (serde_json::from_str(raw)?, found.len());
    let mut keys = BTreeSet::new();
    for element in elements {
        let value: Value = serde_json::from_str(element.get())?;
        let Some(key) = key_of(&value).filter(|key| keys.insert((*key).to_owned())) else {
            found.truncate(from);
            return Ok(false);
        };
        let hash = hash(member, Some(key), &value);
        found.push(Item { member: member.into(), key: Some(key.into()), raw: element.get(), hash });
    }
    Ok(true)
}

/// What names an element of a list.
pub fn key_of(element: &Value) -> Option<&str> {
    KEYS.iter().find_map(|key| element.get(key)?.as_str())
}

/// Keys of a list's elements, when all have one and none comes twice.
pub fn keys_of(list: &[Value]) -> Option<Vec<&str>> {
    let keys: Vec<&str> = list.iter().map(key_of).collect::<Option<_>>()?;
    let distinct: BTreeSet<&str> = keys.iter().copied().collect();
    (distinct.len() == keys.len()).then_some(keys)
}

/// SHA-256 over the hashes in their own order: equal for equal items, in whatever order lists and members came.
pub fn check(items: &[Item<'_>]) -> Digest {
    let mut hashes: Vec<&[u8; 32]> = items.iter().map(|item| &item.hash).collect();
    hashes.sort_unstable();
    let mut context = Context::new(&SHA256);
    hashes.into_iter().for_each(|hash| context.update(hash));
    of(context.finish().as_ref())
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    of(digest(&SHA256, bytes).as_ref())
}

fn of(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(bytes);
    Digest::new(out)
}

fn hash(member: &str, key: Option<&str>, value: &Value) -> [u8; 32] {
    let mut text = Vec::with_capacity(256);
    for part in [Some(member), key] {
        // A length before each part: no two places read alike.
        text.extend_from_slice(&part.map_or(u64::MAX, |p| p.len() as u64).to_be_bytes());
        text.extend_from_slice(part.unwrap_or_default().as_bytes());
    }
    canonical(value, &mut text);
    *sha256(&text).bytes()
}

/// JSON without white space, members of objects sorted.
pub fn canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (i, (name, value)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                canonical(&Value::String(name.clone()), out);
                out.push(b':');
                canonical(value, out);
            }
            out.push(b'}');
        }
        Value::Array(list) => {
            out.push(b'[');
            for (i, value) in list.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                canonical(value, out);
            }
            out.push(b']');
        }
        plain => out.extend_from_slice(plain.to_string().as_bytes()),
    }
}
