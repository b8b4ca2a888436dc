//! The ledger: append, read, export, verify.

use chrono::{SecondsFormat, Utc};
use plugin_sdk::Ctx;
use serde_json::Value;

use super::{Coverage, Result, allowed};
use crate::{
    entities::entry,
    error::Error,
    model::chain::{BEGINNING, Checked, Entry, MAX_EXPORT, Seal, Walk, check_export},
    permissions::READ,
};

const CHUNK: u64 = 1_000;
/// Most entries an export holds: a hundred years of days.
const MOST: usize = 100_000;

impl From<entry::Model> for Entry {
    fn from(m: entry::Model) -> Self {
        let entry::Model { seq, at, kind, data, previous, hash } = m;
        Self { seq, at, kind, data, previous, hash }
    }
}

impl From<Entry> for entry::Model {
    fn from(e: Entry) -> Self {
        let Entry { seq, at, kind, data, previous, hash } = e;
        Self { seq, at, kind, data, previous, hash }
    }
}

impl Coverage {
    /// Append an entry.
    pub async fn note(&self, kind: &str, data: Value) -> Result<()> {
        let _writing = self.writing.lock().await;
        let data = data.to_string();
        for _ in 0..10 {
            let (seq, previous) = match self.store.head().await? {
                Some(head) => (head.seq + 1, head.hash),
                None => (1, BEGINNING.to_owned()),
            };
            let at = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            let entry = Entry::new(seq, at, kind.to_owned(), data.clone(), previous);
            if self.store.append(entry.into()).await? {
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// A page, newest first.
    pub async fn entries(&self, ctx: &Ctx, before: Option<i64>, limit: u64) -> Result<Vec<Entry>> {
        allowed(ctx, READ)?;
        let rows = self.store.entries_before(before, limit.clamp(1, 500)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The whole, as JSON lines with a seal.
    pub async fn export(&self, ctx: &Ctx) -> Result<String> {
        allowed(ctx, READ)?;
        let (mut text, mut walk, mut last) = (String::new(), 0, BEGINNING.to_owned());
        loop {
            let chunk = self.store.entries_after(walk, CHUNK).await?;
            let Some(newest) = chunk.last() else { break };
            walk = newest.seq;
            last.clone_from(&newest.hash);
            for row in chunk {
                text += &line(&Entry::from(row));
            }
            if walk >= i64::try_from(MOST).unwrap_or(i64::MAX) || text.len() > MAX_EXPORT {
                break;
            }
        }
        text += &line(&self.seal(walk, last).await?);
        Ok(text)
    }

    async fn seal(&self, entries: i64, head: String) -> Result<Seal> {
        let proof = self.host.licenses().proof(&head).await?;
        Ok(Seal {
            entries,
            head,
            instance_public_key: proof.instance_public_key,
            signature: proof.signature,
            now_unix_ms: proof.now_unix_ms,
            tokens: proof.tokens,
            revocations: proof.revocations,
        })
    }

    /// Whether the stored ledger is whole.
    pub async fn verify(&self, ctx: &Ctx) -> Result<Checked> {
        allowed(ctx, READ)?;
        let (mut walk, mut after) = (Walk::default(), 0);
        loop {
            let chunk = self.store.entries_after(after, CHUNK).await?;
            let Some(newest) = chunk.last() else { return Ok(walk.end()) };
            after = newest.seq;
            for row in chunk {
                if let Err(broken) = walk.step(&row.into()) {
                    return Ok(broken);
                }
            }
        }
    }

    /// Whether an export, of this host or another, is whole.
    pub fn verify_export(&self, ctx: &Ctx, text: &str) -> Result<Checked> {
        allowed(ctx, READ)?;
        Ok(check_export(text))
    }
}

fn line<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data has a JSON form") + "\n"
}
