//! The fleet over time: every ten minutes how many machines are there, online, and in need of something. Kept whole for
//! a week, then one an hour, for two years.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::{Facet, MachineError, Machines, entity::sample};
use crate::{
    ctx::{Ctx, Scope},
    selector::SelectorError,
};

/// Between two samples, in seconds.
const EVERY_S: i64 = 600;
/// After a start, agents come back first: a restart of the host is no outage of the fleet.
const FIRST: Duration = Duration::from_secs(90);
const HOUR_S: i64 = 3600;
const DAY_S: i64 = 86_400;
/// How long every sample is kept, in days; then those of whole hours.
const WHOLE_DAYS: i64 = 7;
/// How long the samples of whole hours are kept, in days.
const KEPT_DAYS: i64 = 730;

/// The longest trend, in days.
pub const MOST_DAYS: u32 = 730;

/// How many machines there were at a time. Approved ones, but for `pending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrendPoint {
    /// When.
    pub at: DateTime<Utc>,
    /// Machines in all.
    pub machines: i64,
    /// Those that were online.
    pub online: i64,
    /// Those that needed a restart.
    pub reboot: i64,
    /// Those with updates.
    pub updates: i64,
    /// Those with security updates.
    pub security: i64,
    /// Those that waited for a decision.
    pub pending: i64,
}

/// The fleet over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trend {
    /// Between two points, in seconds. A gap is wider: then the host did not run.
    pub step_s: i64,
    /// From the oldest to the newest, at most some 700.
    pub points: Vec<TrendPoint>,
}

impl Machines {
    /// The fleet over the last `days` (1 to [`MOST_DAYS`]); nothing for whom a scope keeps from seeing all machines.
    pub async fn trend(&self, ctx: &Ctx, days: u32) -> Result<Option<Trend>, MachineError> {
        if ctx.require_scope("machines:read")? != Scope::All {
            return Ok(None);
        }
        let days = i64::from(days.clamp(1, MOST_DAYS));
        let step_s = step(days);
        let since = self.core.clock.now().timestamp() - days * DAY_S;
        let newest = sample::Entity::find().order_by_desc(sample::Column::AtS);
        let newest = newest.one(self.core.db.read()).await?;
        let rows = sample::Entity::find()
            .filter(sample::Column::AtS.gte(since))
            .filter(remainder(step_s).eq(0))
            .order_by_asc(sample::Column::AtS);
        let mut rows = rows.all(self.core.db.read()).await?;
        // The last word, though its time is between two steps.
        rows.extend(newest.filter(|n| n.at_s >= since && rows.last().is_none_or(|l| l.at_s < n.at_s)));
        let points = rows.into_iter().filter_map(point).collect();
        Ok(Some(Trend { step_s, points }))
    }

    /// Count every ten minutes, until `stop`.
    pub(super) async fn keep_trend(&self, stop: CancellationToken) {
        let mut wait = FIRST;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if let Err(error) = self.sample_fleet().await {
                tracing::warn!(%error, "the fleet could not be counted for its trend");
            }
            let past = self.core.clock.now().timestamp().rem_euclid(EVERY_S);
            wait = Duration::from_secs((EVERY_S - past).unsigned_abs());
        }
    }

    /// Count now, and forget what is old.
    pub async fn sample_fleet(&self) -> Result<(), MachineError> {
        let now = self.core.clock.now().timestamp();
        let row = self.counted(now - now.rem_euclid(EVERY_S)).await?;
        let tx = self.core.db.begin().await?;
        let all = [
            sample::Column::Machines,
            sample::Column::Online,
            sample::Column::Reboot,
            sample::Column::Updates,
            sample::Column::Security,
            sample::Column::Pending,
        ];
        let again = OnConflict::column(sample::Column::AtS).update_columns(all).to_owned();
        sample::Entity::insert(row.into_active_model()).on_conflict(again).exec(&tx).await?;
        let thinned = Condition::all()
            .add(sample::Column::AtS.lt(now - WHOLE_DAYS * DAY_S))
            .add(remainder(HOUR_S).ne(0));
        let old = Condition::any().add(thinned).add(sample::Column::AtS.lt(now - KEPT_DAYS * DAY_S));
        sample::Entity::delete_many().filter(old).exec(&tx).await?;
        Ok(tx.commit().await?)
    }

    async fn counted(&self, at_s: i64) -> Result<sample::Model, MachineError> {
        let ctx = Ctx::job("machines.trend");
        let invalid = |e: SelectorError| MachineError::Invalid { field: "q", detail: e.to_string() };
        let approved = "state:approved".parse().map_err(invalid)?;
        let facets = self.facets(&ctx, Some(&approved)).await?;
        let pending = self.by_state(&ctx).await?.get("pending").copied().unwrap_or_default();
        Ok(sample::Model {
            at_s,
            machines: facets.total,
            online: of(&facets.online, "yes"),
            reboot: of(&facets.needs, "reboot"),
            updates: of(&facets.needs, "updates"),
            security: of(&facets.needs, "security"),
            pending,
        })
    }
}

fn of(facets: &[Facet], value: &str) -> i64 {
    facets.iter().find(|f| f.value == value).map_or(0, |f| f.machines)
}

fn remainder(step_s: i64) -> Expr {
    Expr::col(sample::Column::AtS).modulo(step_s)
}

/// Some hundred points, whatever the time they span.
fn step(days: i64) -> i64 {
    match days {
        ..=4 => EVERY_S,
        5..=28 => HOUR_S,
        29..=170 => 6 * HOUR_S,
        _ => DAY_S,
    }
}

fn point(row: sample::Model) -> Option<TrendPoint> {
    let sample::Model { at_s, machines, online, reboot, updates, security, pending } = row;
    let at = DateTime::from_timestamp(at_s, 0)?;
    Some(TrendPoint { at, machines, online, reboot, updates, security, pending })
}
