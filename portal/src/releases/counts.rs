//! How often what was downloaded.

use chrono::NaiveDate;
use serde::Serialize;

use super::{ReleaseError, Releases, Wanted, entity::count, store};
use crate::ctx::Ctx;

/// Days that are told.
const DAYS: i64 = 90;

/// Downloads that began on a day.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Downloaded {
    /// Day, in UTC.
    pub day: NaiveDate,
    /// Engine.
    pub engine: String,
    /// Version.
    pub version: String,
    /// Target.
    pub target: String,
    /// How many.
    pub count: i64,
}

impl Releases {
    /// Count a download that begins: once for a file, not for each of its parts.
    pub(super) async fn count(&self, wanted: &Wanted) -> Result<(), ReleaseError> {
        let row = count::Model {
            day: self.core.clock.now().date_naive(),
            engine: wanted.engine.clone(),
            version: wanted.version.clone(),
            target: wanted.target.clone(),
            count: 1,
        };
        Ok(store::add_count(self.core.db.write(), row).await?)
    }

    /// Downloads of the last ninety days, the last day first.
    pub async fn downloaded(&self, ctx: &Ctx) -> Result<Vec<Downloaded>, ReleaseError> {
        ctx.require_staff()?;
        let since = self.core.clock.now().date_naive() - chrono::Duration::days(DAYS);
        let rows = store::counts(self.core.db.read(), since).await?;
        let view = |row: count::Model| {
            let count::Model { day, engine, version, target, count } = row;
            Downloaded { day, engine, version, target, count }
        };
        Ok(rows.into_iter().map(view).collect())
    }
}
