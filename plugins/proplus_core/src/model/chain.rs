//! The chain: every entry carries the hash of the one before, so that a change shows.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What stands in the place of the hash before the first entry.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Largest export that is checked, in bytes.
pub const MAX_EXPORT: usize = 32 << 20;

/// An entry as exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Place in the chain, from 1.
    pub seq: i64,
    /// When, RFC 3339 with microseconds.
    pub at: String,
    /// What happened.
    pub kind: String,
    /// Facts, JSON text exactly as hashed.
    pub data: String,
    /// Hash of the entry before.
    pub previous: String,
    /// Hash of this one.
    pub hash: String,
}

/// The last line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Number of entries.
    pub entries: i64,
    /// Hash of the newest.
    pub head: String,
    /// Public key of the host instance.
    pub instance_public_key: String,
    /// Its signature, over the head as nonce of a licence proof.
    pub signature: String,
    /// Time of the signature, milliseconds since the Unix epoch.
    pub now_unix_ms: i64,
    /// Licence tokens that the proof covers.
    pub tokens: Vec<String>,
    /// Revocation list that the proof covers.
    pub revocations: Option<String>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Checked {
    /// Whether everything fits.
    pub whole: bool,
    /// Entries that fit.
    pub entries: i64,
    /// Hash of the last one that fits.
    pub head: String,
    /// The first entry that does not fit.
    pub broken_at: Option<i64>,
    /// In one sentence.
    pub sentence: String,
}

impl Entry {
    /// A new entry after `previous`.
    pub fn new(seq: i64, at: String, kind: String, data: String, previous: String) -> Self {
        let hash = hash(seq, &at, &kind, &data, &previous);
        Self { seq, at, kind, data, previous, hash }
    }
}

/// SHA-256 as 64 hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// The hash of an entry.
pub fn hash(seq: i64, at: &str, kind: &str, data: &str, previous: &str) -> String {
    sha256(format!("{seq}\n{at}\n{kind}\n{data}\n{previous}").as_bytes())
}

/// Follow the chain entry by entry.
#[derive(Debug)]
pub struct Walk {
    next: i64,
    head: String,
}

impl Default for Walk {
    fn default() -> Self {
        Self { next: 1, head: BEGINNING.into() }
    }
}

impl Walk {
    /// Whether `entry` follows.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn step(&mut self, entry: &Entry) -> Result<(), Checked> {
        let why = if entry.seq != self.next {
            format!("Entry {} is missing: {} stands in its place.", self.next, entry.seq)
        } else if entry.previous != self.head {
            format!("Entry {} does not follow the one before: something before it was changed.", entry.seq)
        } else if entry.hash != hash(entry.seq, &entry.at, &entry.kind, &entry.data, &entry.previous) {
            format!("Entry {} was changed: its hash does not fit its content.", entry.seq)
        } else {
            self.next += 1;
            self.head.clone_from(&entry.hash);
            return Ok(());
        };
        Err(self.broken(why))
    }

    fn broken(&self, sentence: String) -> Checked {
        Checked {
            whole: false,
            entries: self.next - 1,
            head: self.head.clone(),
            broken_at: Some(self.next),
            sentence,
        }
    }

    /// Nothing was wrong.
    pub fn end(self) -> Checked {
        let entries = self.next - 1;
        let sentence = format!("All {entries} entries fit.");
        Checked { whole: true, entries, head: self.head, broken_at: None, sentence }
    }
}

/// Check an export: JSON lines, a seal at the end. Whose key sealed it is for the reader to compare with the instance they know.
pub fn check_export(text: &str) -> Checked {
    let mut walk = Walk::default();
    let mut lines = text.lines().filter(|l| !l.trim().is_empty()).peekable();
    while let Some(line) = lines.next() {
        if let Ok(entry) = serde_json::from_str::<Entry>(line) {
            if let Err(broken) = walk.step(&entry) {
                return broken;
            }
            continue;
        }
        return match serde_json::from_str::<Seal>(line) {
            Ok(_) if lines.peek().is_some() => walk.broken("Something follows the seal.".into()),
            Ok(seal) if seal.entries != walk.next - 1 || seal.head != walk.head => {
                let why =
                    format!("The seal is of {} entries and another end: some were cut off.", seal.entries);
                walk.broken(why)
            }
            Ok(_) => walk.end(),
            Err(_) => walk.broken(format!("Line {} is neither an entry nor a seal.", walk.next)),
        };
    }
    walk.broken("There is no seal: the end is missing.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(entries: i64) -> Vec<String> {
        let mut previous = BEGINNING.to_owned();
        let mut lines = Vec::new();
        for seq in 1..=entries {
            let data = format!("{{\"peak\":{seq}}}");
            let entry = Entry::new(
                seq,
                format!("2030-01-0{seq}T00:00:00.000000Z"),
                "usage.day".into(),
                data,
                previous.clone(),
            );
            previous.clone_from(&entry.hash);
            lines.push(serde_json::to_string(&entry).expect("plain data"));
        }
        let seal = Seal {
            entries,
            head: previous,
            instance_public_key: String::new(),
            signature: String::new(),
            now_unix_ms: 0,
            tokens: vec![],
            revocations: None,
        };
        lines.push(serde_json::to_string(&seal).expect("plain data"));
        lines
    }

    #[test]
    fn an_untouched_export_is_whole() {
        let found = check_export(&export(5).join("\n"));
        assert!(found.whole && found.entries == 5, "{found:?}");
        assert!(check_export(&export(0).join("\n")).whole);
    }

    #[test]
    fn a_changed_removed_inserted_or_cut_entry_is_found() {
        let good = export(5);
        let mut changed = good.clone();
        changed[2] = changed[2].replace("peak\\\":3", "peak\\\":2");
        assert_ne!(changed, good);
        assert_eq!(check_export(&changed.join("\n")).broken_at, Some(3));
        let mut removed = good.clone();
        removed.remove(1);
        assert_eq!(check_export(&removed.join("\n")).broken_at, Some(2));
        let mut inserted = good.clone();
        inserted.insert(1, good[0].clone());
        assert_eq!(check_export(&inserted.join("\n")).broken_at, Some(2));
        let mut cut = good.clone();
        cut.remove(4);
        assert!(!check_export(&cut.join("\n")).whole);
        assert!(!check_export(&good[..5].join("\n")).whole);
        assert!(!check_export("").whole);
        assert!(!check_export("nonsense").whole);
    }

    #[test]
    fn an_entry_changed_with_its_hash_breaks_the_next() {
        let mut lines = export(3);
        let first: Entry = serde_json::from_str(&lines[0]).expect("an entry");
        let forged = Entry::new(1, first.at, first.kind, "{\"peak\":0}".into(), first.previous);
        lines[0] = serde_json::to_string(&forged).expect("plain data");
        assert_eq!(check_export(&lines.join("\n")).broken_at, Some(2));
    }
}
