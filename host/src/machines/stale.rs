//! Machines that nobody hears of any more: told once, and removed when the policy says so.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{MachineError, MachineState, Machines, entity::machine, store};
use crate::{
    ctx::Ctx,
    notifications::{Level, NewNotification},
    selector::{Selector, SelectorError},
    settings::Settings,
};

const OWNER: &str = "core";
const KEY: &str = "stale_machines";
/// Longest time a policy may name, in days.
const MAX_DAYS: u32 = 3650;
/// Shortest time until a machine is removed, in days: holidays are not the end of a machine.
const MIN_REMOVE_DAYS: u32 = 7;
/// How often machines are looked at. Not at once after a start: agents must be able to come back.
const EVERY: Duration = Duration::from_secs(3600);
/// Most machines told of or removed in one look.
const MOST: u64 = 500;
/// A look that would remove more of the fleet than every fourth machine, and more than this, removes none: then the
/// host was away, or its clock is wrong.
const SUSPICIOUS: u64 = 10;
/// Names in a notification.
const NAMES: usize = 10;

/// What happens to machines that do not report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StalePolicy {
    /// Days without a sign of life after which a machine is stale and administrators are told; 0 never.
    pub notify_after_days: u32,
    /// Days without a sign of life after which a machine is removed, 7 or more; 0 never.
    pub remove_after_days: u32,
    /// Days after which an undecided request to join is removed; 0 never.
    pub forget_requests_after_days: u32,
    /// Selector of machines that are never removed, e.g. `tag:seasonal`; empty for none.
    pub keep: String,
}

impl Default for StalePolicy {
    fn default() -> Self {
        Self {
            notify_after_days: 30,
            remove_after_days: 0,
            forget_requests_after_days: 0,
            keep: String::new(),
        }
    }
}

/// What one look did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Machines that became stale.
    pub stale: usize,
    /// Machines that were removed.
    pub removed: usize,
    /// Requests that were removed.
    pub requests: usize,
    /// Machines that were due, and were kept because they were suspiciously many.
    pub withheld: usize,
}

impl Machines {
    /// The policy.
    pub async fn stale_policy(&self, ctx: &Ctx) -> Result<StalePolicy, MachineError> {
        ctx.require("settings:read")?;
        self.policy().await
    }

    /// Change the policy.
    pub async fn set_stale_policy(
        &self,
        ctx: &Ctx,
        policy: StalePolicy,
    ) -> Result<StalePolicy, MachineError> {
        ctx.require("settings:manage")?;
        check(&policy)?;
        let keep = match policy.keep.trim() {
            "" => String::new(),
            text => {
                let bad = |e: SelectorError| MachineError::Invalid { field: "keep", detail: e.to_string() };
                self.core.selectors.parse_for_all(text).map_err(bad)?.to_string()
            }
        };
        let policy = StalePolicy { keep, ..policy };
        self.core.settings.set(ctx, OWNER, KEY, json!(policy)).await?;
        Ok(policy)
    }

    async fn policy(&self) -> Result<StalePolicy, MachineError> {
        Ok(policy(&self.core.settings).await?)
    }

    /// The selector of machines that the policy keeps; empty for none.
    pub(crate) async fn kept(settings: &Settings) -> Result<String, DbErr> {
        Ok(policy(settings).await?.keep)
    }

    /// Look every hour, until `stop`.
    pub(super) async fn keep_policy(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            match self.sweep_stale().await {
                Ok(swept) if swept != Swept::default() => tracing::info!(?swept, "stale machines"),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "stale machines could not be looked at"),
            }
        }
    }

    /// Do what the policy says, once.
    pub async fn sweep_stale(&self) -> Result<Swept, MachineError> {
        let policy = self.policy().await?;
        let mut swept = Swept::default();
        let stale = self.before(policy.notify_after_days);
        self.mark_living(stale).await?;
        if let Some(cutoff) = stale {
            swept.stale = self.mark_stale(cutoff, policy.notify_after_days).await?;
        }
        if let Some(cutoff) = self.before(policy.remove_after_days) {
            let due = self.removable(cutoff, &policy.keep).await?;
            let fleet = store::count_approved(self.core.db.read()).await?;
            if due.len() as u64 > SUSPICIOUS.max(fleet / 4) {
                swept.withheld = due.len();
                self.tell_withheld(due.len()).await?;
            } else {
                swept.removed = self.remove(&due, "machine.removed_stale").await?;
            }
        }
        if let Some(cutoff) = self.before(policy.forget_requests_after_days) {
            let condition = Condition::all()
                .add(machine::Column::State.eq(MachineState::Pending.name()))
                .add(machine::Column::CreatedAt.lt(cutoff));
            let due = self.rows(condition).await?;
            swept.requests = self.remove(&due, "machine.request_forgotten").await?;
        }
        Ok(swept)
    }

    fn before(&self, days: u32) -> Option<DateTime<Utc>> {
        (days > 0).then(|| self.core.clock.now() - chrono::Duration::days(days.into()))
    }

    async fn rows(&self, condition: Condition) -> Result<Vec<machine::Model>, MachineError> {
        let query = machine::Entity::find().filter(condition).order_by_asc(machine::Column::Id).limit(MOST);
        let mut rows = query.all(self.core.db.read()).await?;
        // The database is told of life a little later.
        rows.retain(|row| self.live.get(row.id).is_none());
        Ok(rows)
    }

    /// Machines that came back, and those that a changed policy does not mean, are stale no more.
    async fn mark_living(&self, cutoff: Option<DateTime<Utc>>) -> Result<(), MachineError> {
        let mut marked = machine::Entity::find().filter(machine::Column::StaleSince.is_not_null());
        if let Some(cutoff) = cutoff {
            marked = marked.filter(silent(cutoff).not());
        }
        let rows = marked.all(self.core.db.read()).await?;
        for row in rows {
            let set = machine::ActiveModel { stale_since: Set(None), ..Default::default() };
            store::update(self.core.db.write(), row.id, set).await?;
            self.publish("machine.stale_ended", row.id, json!({"name": row.name}));
        }
        Ok(())
    }

    async fn mark_stale(&self, cutoff: DateTime<Utc>, days: u32) -> Result<usize, MachineError> {
        let condition = silent(cutoff).add(machine::Column::StaleSince.is_null());
        let rows = self.rows(condition).await?;
        for row in &rows {
            let now = self.core.clock.now();
            let set = machine::ActiveModel { stale_since: Set(Some(now)), ..Default::default() };
            store::update(self.core.db.write(), row.id, set).await?;
            self.publish("machine.stale", row.id, json!({"name": row.name}));
        }
        if !rows.is_empty() {
            let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
            let title = match rows.len() {
                1 => format!("A machine has not reported for {days} days"),
                n => format!("{n} machines have not reported for {days} days"),
            };
            let link = format!("/machines?q=state:approved last_seen>{days}d");
            self.notify(Level::Warning, title, listed(&names), &link).await?;
        }
        Ok(rows.len())
    }

    async fn removable(
        &self,
        cutoff: DateTime<Utc>,
        keep: &str,
    ) -> Result<Vec<machine::Model>, MachineError> {
        let mut condition = silent(cutoff);
        if !keep.is_empty() {
            let env = self.core.selectors.env();
            let broken = |detail: &dyn std::fmt::Display| MachineError::Invalid {
                field: "keep",
                detail: detail.to_string(),
            };
            let selector: Selector = keep.parse().map_err(|e: SelectorError| broken(&e))?;
            // A selector that cannot be used any more must not let its machines be removed.
            env.expand(selector.node()).map_err(|e| broken(&e))?;
            condition = condition.add(selector.condition(&env).not());
        }
        self.rows(condition).await
    }

    async fn remove(&self, rows: &[machine::Model], action: &'static str) -> Result<usize, MachineError> {
        let ctx = Ctx::job("machines.stale");
        for row in rows {
            self.delete_as(&ctx, row.id, action).await?;
        }
        Ok(rows.len())
    }

    async fn tell_withheld(&self, machines: usize) -> Result<(), MachineError> {
        let title = format!("{machines} silent machines were not removed");
        let body = "They are more than a quarter of the fleet. If the host was away or its clock is wrong, nothing \
                    needs to be done; else remove them by hand, or name in the policy what to keep.";
        self.notify(Level::Warning, title, body.into(), "/settings").await
    }

    /// To those who see machines everywhere: names are in it.
    async fn notify(
        &self,
        level: Level,
        title: String,
        body: String,
        link: &str,
    ) -> Result<(), MachineError> {
        let new = NewNotification {
            user: None,
            permission: Some("settings:manage".into()),
            source: OWNER.into(),
            level,
            title,
            body,
            link: Some(link.into()),
        };
        Ok(self.core.notifications.send(new).await.map(|_: Uuid| ())?)
    }
}

async fn policy(settings: &Settings) -> Result<StalePolicy, DbErr> {
    let value = settings.get(OWNER, KEY).await?;
    Ok(value.and_then(|v| serde_json::from_value(v).ok()).unwrap_or_default())
}

/// Approved machines without a sign of life since then. Never NULL, so that its contrary is one.
fn silent(cutoff: DateTime<Utc>) -> Condition {
    use machine::Column as C;
    let seen = Condition::all().add(C::LastSeenAt.is_not_null()).add(C::LastSeenAt.lt(cutoff));
    let never = Condition::all().add(C::LastSeenAt.is_null()).add(C::CreatedAt.lt(cutoff));
    Condition::all()
        .add(C::State.eq(MachineState::Approved.name()))
        .add(Condition::any().add(seen).add(never))
}

fn listed(names: &BTreeSet<&str>) -> String {
    let mut text = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMES {
        text.push_str(&format!(" and {} more", names.len() - NAMES));
    }
    text
}

fn check(policy: &StalePolicy) -> Result<(), MachineError> {
    let invalid = |field, detail: String| Err(MachineError::Invalid { field, detail });
    for (field, days) in [
        ("notify_after_days", policy.notify_after_days),
        ("remove_after_days", policy.remove_after_days),
        ("forget_requests_after_days", policy.forget_requests_after_days),
    ] {
        if days > MAX_DAYS {
            return invalid(field, format!("At most {MAX_DAYS} days, or 0 for never."));
        }
    }
    let (notify, remove) = (policy.notify_after_days, policy.remove_after_days);
    if remove != 0 && remove < MIN_REMOVE_DAYS {
        return invalid("remove_after_days", format!("At least {MIN_REMOVE_DAYS} days, or 0 for never."));
    }
    if remove != 0 && (notify == 0 || notify >= remove) {
        let detail = "Administrators must be told before a machine is removed: fewer days, and not 0.".into();
        return invalid("notify_after_days", detail);
    }
    Ok(())
}
