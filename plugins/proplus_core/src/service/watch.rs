//! The regular look: machines are counted, entitlements compared with the last time, days closed, notices sent.

use chrono::{DateTime, Utc};
use plugin_sdk::payloads::licenses::{EngineFacts, LicenseReport};
use serde_json::json;

use super::{Coverage, Result};
use crate::entities::{standing, usage};

fn day_of(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Coverage {
    /// Look.
    pub async fn watch(&self, now: DateTime<Utc>) -> Result<()> {
        let _watching = self.watching.lock().await;
        let report = self.host.licenses().explain(None).await?;
        self.count_machines(&report, now).await?;
        self.compare(&report, now).await?;
        self.close_days(now).await?;
        self.notify(&report, now).await
    }

    async fn count_machines(&self, report: &LicenseReport, now: DateTime<Utc>) -> Result<()> {
        let (day, used) = (day_of(now), count(report.machines.approved));
        let before = self.store.usage_of(&day).await?;
        let peak = before.as_ref().map_or(used, |b| b.peak.max(used));
        let in_ledger = before.is_some_and(|b| b.in_ledger);
        let machine_limit = report.machines.limit.map(count);
        Ok(self
            .store
            .keep_usage(usage::Model { day, peak, last: used, machine_limit, seen_at: now, in_ledger })
            .await?)
    }

    /// An engine that is granted something else than last time is an entry.
    async fn compare(&self, report: &LicenseReport, now: DateTime<Utc>) -> Result<()> {
        let known = self.store.standings().await?;
        for engine in &report.engines {
            let before = known.iter().find(|s| s.engine == engine.id);
            if before.is_some_and(|s| s.state == engine.state && s.code == engine.code) {
                continue;
            }
            self.store.keep_standing(standing_of(engine, now), before.is_none()).await?;
            let facts = json!({
                "engine": engine.id, "version": engine.version, "state": engine.state, "code": engine.code,
                "before": before.map(|s| &s.state),
            });
            self.note("entitlement.changed", facts).await?;
        }
        Ok(())
    }

    /// Days that are over go into the ledger.
    async fn close_days(&self, now: DateTime<Utc>) -> Result<()> {
        for mut day in self.store.days_to_close(&day_of(now)).await? {
            let facts =
                json!({"day": day.day, "peak": day.peak, "last": day.last, "limit": day.machine_limit});
            self.note("usage.day", facts).await?;
            day.in_ledger = true;
            self.store.keep_usage(day).await?;
        }
        Ok(())
    }
}

fn standing_of(engine: &EngineFacts, now: DateTime<Utc>) -> standing::Model {
    standing::Model {
        engine: engine.id.clone(),
        state: engine.state.clone(),
        code: engine.code.clone(),
        since: now,
    }
}
