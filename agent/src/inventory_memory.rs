//! What the host has of each section, on disk: a digest and a short hash per item, so that only changes travel.
//!
//! What was sent becomes what the host has when it acknowledges it. Nothing of this stays in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
};

use agent_protocol::{
    Frame,
    inventory::{Digest, InventoryDelta, InventorySection, RemovedItems},
    items::{self, Item},
};
use serde::{Deserialize, Serialize};

use crate::{clock::now_ms, inventory::Section, storage};

/// A file larger than this is not read.
const LARGEST: u64 = 16 << 20;

/// What is known of a section the host has.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    digest: String,
    /// Member, key within a list, first bytes of the hash.
    items: Vec<(String, Option<String>, u64)>,
}

impl Known {
    fn of(digest: Digest, items: &[Item<'_>]) -> Self {
        let items = items.iter().map(|i| (i.member.clone(), i.key.clone(), short(&i.hash))).collect();
        Self { digest: digest.to_hex(), items }
    }
}

fn short(hash: &[u8; 32]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(first)
}

/// The folder with what the host has.
#[derive(Debug)]
pub struct Memory {
    folder: PathBuf,
}

impl Memory {
    /// In `folder`, which is made when it is missing.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        storage::private_dir(&folder)?;
        Ok(Self { folder })
    }

    fn file(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{name}.{kind}"))
    }

    fn read(&self, name: &str, kind: &str) -> Option<Known> {
        let bytes = storage::read_optional(&self.file(name, kind), LARGEST).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// The frame that tells the host of a section: what changed since what it has, or all of it.
    pub fn frame(&self, section: Section) -> Frame {
        let digest = Digest::new(section.digest);
        let Ok(items) = items::items(&section.body) else { return whole(section) };
        let sent = serde_json::to_vec(&Known::of(digest, &items)).unwrap_or_default();
        if let Err(error) = storage::write_private(&self.file(section.name, "sent"), &sent) {
            tracing::warn!(%error, section = section.name, "what is sent cannot be remembered; it travels whole");
            return whole(section);
        }
        let known = self.read(section.name, "host");
        let Some((base, change)) =
            known.and_then(|k| Some((Digest::from_hex(&k.digest)?, change(&k, &items)?)))
        else {
            return whole(section);
        };
        if change.upserts.len() > section.body.len() / 2 {
            return whole(section);
        }
        InventoryDelta {
            name: section.name.into(),
            base,
            digest,
            check: items::check(&items),
            collected_at: now_ms(),
            upserts: change.upserts.into(),
            removed: change.removed,
        }
        .into()
    }

    /// What the host acknowledged last of a section.
    pub fn host_digest(&self, name: &str) -> Option<Digest> {
        Digest::from_hex(&self.read(name, "host")?.digest)
    }

    /// The host has stored what was sent.
    pub fn acknowledged(&self, name: &str, digest: &Digest) {
        if self.read(name, "sent").is_some_and(|known| known.digest == digest.to_hex())
            && let Err(error) = std::fs::rename(self.file(name, "sent"), self.file(name, "host"))
        {
            tracing::warn!(%error, section = name, "what the host has cannot be remembered");
        }
    }

    /// The host asks for a section and has `base` of it, or nothing: forget what else was remembered.
    pub fn host_has(&self, name: &str, base: Option<&Digest>) {
        let known = self.read(name, "host");
        if known.is_some_and(|known| base.map(Digest::to_hex) != Some(known.digest)) {
            let _ = std::fs::remove_file(self.file(name, "host"));
        }
    }
}

/// The frame with all of a section.
pub fn whole(section: Section) -> Frame {
    InventorySection {
        name: section.name.into(),
        digest: Digest::new(section.digest),
        collected_at: now_ms(),
        data: section.body.into(),
    }
    .into()
}

struct Changed {
    upserts: Vec<u8>,
    removed: Vec<RemovedItems>,
}

/// New and changed items of a member.
enum Upsert<'a> {
    Whole(&'a str),
    List(Vec<&'a str>),
}

/// What changed since `known`; none when a member changed between list and value, which only a whole section can tell.
fn change(known: &Known, items: &[Item<'_>]) -> Option<Changed> {
    let mut old: BTreeMap<(&str, Option<&str>), u64> =
        known.items.iter().map(|(member, key, hash)| ((member.as_str(), key.as_deref()), *hash)).collect();
    let shape = |lists: bool| -> BTreeSet<&str> {
        let before = known.items.iter().filter(|i| i.1.is_some() == lists).map(|i| i.0.as_str());
        before.chain(items.iter().filter(|i| i.key.is_some() == lists).map(|i| i.member.as_str())).collect()
    };
    if !shape(true).is_disjoint(&shape(false)) {
        return None;
    }
    let mut upserts: BTreeMap<&str, Upsert<'_>> = BTreeMap::new();
    for item in items {
        if old.remove(&(item.member.as_str(), item.key.as_deref())) == Some(short(&item.hash)) {
            continue;
        }
        match (&item.key, upserts.entry(&item.member).or_insert(Upsert::List(Vec::new()))) {
            (Some(_), Upsert::List(list)) => list.push(item.raw),
            (_, entry) => *entry = Upsert::Whole(item.raw),
        }
    }
    let mut removed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (member, key) in old.into_keys() {
        removed.entry(member).or_default().extend(key.map(str::to_owned));
    }
    let removed =
        removed.into_iter().map(|(member, keys)| RemovedItems { member: member.into(), keys }).collect();
    Some(Changed { upserts: written(&upserts), removed })
}

fn written(upserts: &BTreeMap<&str, Upsert<'_>>) -> Vec<u8> {
    let member = |(name, upsert): (&&str, &Upsert<'_>)| {
        let name = serde_json::Value::String((*name).to_owned());
        match upsert {
            Upsert::Whole(raw) => format!("{name}:{raw}"),
            Upsert::List(list) => format!("{name}:[{}]", list.join(",")),
        }
    };
    format!("{{{}}}", upserts.iter().map(member).collect::<Vec<_>>().join(",")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Much that stays the same: a change that is as large as its section travels as a section.
    fn section(body: &str) -> Section {
        let body = body.replace("SAME", &"same".repeat(50));
        Section { name: "packages", digest: crate::inventory::digest(body.as_bytes()), body: body.into() }
    }

    fn digest(section: &Section) -> Digest {
        Digest::new(section.digest)
    }

    const ONE: &str =
        r#"{"packages":[{"key":"a","v":1},{"key":"b","v":1},{"key":"c","v":1}],"sources":["SAME"]}"#;
    const TWO: &str =
        r#"{"packages":[{"key":"a","v":1},{"key":"b","v":2},{"key":"d","v":1}],"sources":["SAME"]}"#;

    #[test]
    fn only_changes_travel_once_the_host_has_a_section() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::open(folder.path().join("inventory")).expect("a memory");
        assert!(matches!(memory.frame(section(ONE)), Frame::InventorySection(_)));
        assert!(matches!(memory.frame(section(ONE)), Frame::InventorySection(_)), "not acknowledged yet");
        memory.acknowledged("packages", &digest(&section(ONE)));
        let Frame::InventoryDelta(delta) = memory.frame(section(TWO)) else { panic!("whole") };
        assert_eq!(delta.base, digest(&section(ONE)));
        assert_eq!(delta.upserts, br#"{"packages":[{"key":"b","v":2},{"key":"d","v":1}]}"#);
        assert_eq!(delta.removed, [RemovedItems { member: "packages".into(), keys: vec!["c".into()] }]);
    }

    #[test]
    fn a_host_that_has_something_else_gets_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::open(folder.path().join("inventory")).expect("a memory");
        memory.frame(section(ONE));
        memory.acknowledged("packages", &digest(&section(TWO)));
        assert!(matches!(memory.frame(section(TWO)), Frame::InventorySection(_)), "another was acknowledged");
        memory.frame(section(ONE));
        memory.acknowledged("packages", &digest(&section(ONE)));
        memory.host_has("packages", Some(&digest(&section(ONE))));
        assert!(matches!(memory.frame(section(TWO)), Frame::InventoryDelta(_)));
        memory.host_has("packages", None);
        assert!(matches!(memory.frame(section(TWO)), Frame::InventorySection(_)));
    }

    #[test]
    fn a_member_that_is_no_list_any_more_makes_it_travel_whole() {
        let known = Known::of(Digest::new([0; 32]), &items::items(br#"{"a":[{"key":"x"}]}"#).expect("items"));
        assert!(change(&known, &items::items(br#"{"a":"none"}"#).expect("items")).is_none());
    }
}
