//! Removes ended runs that are older than an administrator wants to keep.

use plugin_sdk::sea_orm::TransactionTrait;
use serde_json::{Value, json};

use super::{Service, flat};
use crate::{error::Result, store};

/// Runs removed in one transaction.
const CHUNK: u64 = 100;
/// Transactions in one call; the rest follows next time.
const CHUNKS: usize = 200;

impl Service {
    /// Remove what is too old. Answers how many runs went.
    pub async fn prune(&self) -> Result<u64> {
        let settings = self.settings().await?;
        if settings.retention_days == 0 {
            return Ok(0);
        }
        let before = self.now() - chrono::Duration::days(settings.retention_days.into());
        let mut removed = 0;
        for _ in 0..CHUNKS {
            let ids = store::runs::ended_before(&self.db, before, CHUNK).await?;
            if ids.is_empty() {
                break;
            }
            removed += self
                .db
                .transaction(|tx| {
                    Box::pin(async move {
                        store::approvals::delete(tx, &ids).await?;
                        store::targets::delete(tx, &ids).await?;
                        store::runs::delete(tx, &ids).await
                    })
                })
                .await
                .map_err(flat)?;
        }
        if removed > 0 {
            let after = json!({ "removed": removed, "made_before": before });
            self.audit(&super::system(), "runs.pruned", ("run", String::new()), Value::Null, after).await;
        }
        Ok(removed)
    }
}
