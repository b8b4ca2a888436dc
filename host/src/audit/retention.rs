//! How long entries are kept: a setting, and the sweep that keeps to it.

use chrono::Duration;
use sea_orm::DbErr;

use super::{Audit, store};
use crate::{ctx::Ctx, problem::Problem, settings::Settings};

const OWNER: &str = "core";
const KEY: &str = "audit_retention_days";
const MAX_DAYS: u32 = 36_500;
/// Shortest time: what an attacker did must not be gone before anybody looks.
const MIN_DAYS: u32 = 30;
/// Entries deleted at once, so that others get to write in between.
const BATCH: u64 = 500;

impl Audit {
    /// Days that entries are kept; 0 for ever, which is the default.
    pub async fn retention_days(&self, settings: &Settings) -> Result<u32, DbErr> {
        let value = settings.get(OWNER, KEY).await?;
        Ok(value.and_then(|v| v.as_u64()).and_then(|d| u32::try_from(d).ok()).unwrap_or(0))
    }

    /// Set the days that entries are kept.
    pub async fn set_retention_days(&self, ctx: &Ctx, settings: &Settings, days: u32) -> Result<(), Problem> {
        ctx.require("settings:manage")?;
        if days != 0 && !(MIN_DAYS..=MAX_DAYS).contains(&days) {
            let why = format!("Entries are kept for {MIN_DAYS} to {MAX_DAYS} days, or with 0 for ever.");
            return Err(Problem::invalid("days", why));
        }
        Ok(settings.set(ctx, OWNER, KEY, days.into()).await?)
    }

    /// Delete entries that are older than they are kept. How many there were.
    pub async fn sweep(&self, settings: &Settings) -> Result<u64, DbErr> {
        let days = self.retention_days(settings).await?;
        if days == 0 {
            return Ok(0);
        }
        let cutoff = self.clock.now() - Duration::days(days.into());
        let mut deleted = 0;
        loop {
            let some = store::delete_before(self.db.write(), cutoff, BATCH).await?;
            deleted += some;
            if some < BATCH {
                return Ok(deleted);
            }
        }
    }
}
