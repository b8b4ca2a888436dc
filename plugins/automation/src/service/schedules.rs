//! Schedules: runs by the calendar, each exactly once however often the host's timer rings.
//!
//! A schedule acts for whoever saved it last, within the scope and roles they had then. A selector is evaluated at each
//! run; named machines stay as they are.

use chrono::{DateTime, Utc};
use plugin_sdk::{Ctx, EngineError, payloads::jobs::JobSpec};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Made, NewRun, Service, Window, check_name, check_range, freeze::Targets, natural, versions::parameters,
};
use crate::{
    entities::schedule,
    error::{Error, Result},
    events, jobs,
    model::{
        limits,
        rule::{Missed, Overlap, Rule},
        values,
    },
    permissions,
    store::{self, PageRequest, Viewer, schedules::Filter},
    views::{Page, ScheduleView},
};

/// A schedule to save.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// Name.
    pub name: String,
    /// Script.
    pub script_id: Uuid,
    /// Version; the newest at each run when absent.
    #[serde(default)]
    pub version: Option<i32>,
    /// When it runs.
    pub rule: Rule,
    /// Selector, evaluated at each run; or `machine_ids`.
    #[serde(default)]
    pub selector: Option<String>,
    /// Machines; or `selector`.
    #[serde(default)]
    pub machine_ids: Option<Vec<Uuid>>,
    /// Values by parameter.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// Tasks at the same time; 0 for no limit.
    #[serde(default)]
    pub concurrency: u32,
    /// Seconds a task may run; 0 for the version's.
    #[serde(default)]
    pub timeout_s: u32,
    /// Seconds a task waits for its machine; 0 for the host's default.
    #[serde(default)]
    pub queue_timeout_s: u32,
    /// What happens when the run before has not ended.
    #[serde(default)]
    pub overlap: Overlap,
    /// What happens with runs missed while the host was away.
    #[serde(default)]
    pub missed: Missed,
    /// Whether it runs.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// The next runs of a rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preview {
    /// Instants in order.
    pub next: Vec<DateTime<Utc>>,
}

impl Service {
    /// A page of schedules, newest first.
    pub async fn list_schedules(
        &self,
        ctx: &Ctx,
        filter: &Filter,
        page: PageRequest,
    ) -> Result<Page<ScheduleView>> {
        ctx.require(permissions::SCHEDULES_READ)?;
        let rows = store::schedules::list(&self.db, &Viewer::of(ctx), filter, page).await?;
        Ok(Page::of(rows, page.limit, |s| s.id, ScheduleView::from))
    }

    /// One schedule.
    pub async fn get_schedule(&self, ctx: &Ctx, id: Uuid) -> Result<ScheduleView> {
        ctx.require(permissions::SCHEDULES_READ)?;
        Ok(self.seen_schedule(ctx, id).await?.into())
    }

    /// Make a schedule.
    pub async fn create_schedule(&self, ctx: &Ctx, new: NewSchedule) -> Result<ScheduleView> {
        ctx.require(permissions::SCHEDULES_WRITE)?;
        ctx.require(permissions::SCRIPTS_RUN)?;
        let now = self.now();
        let row = self.build_schedule(ctx, new, Uuid::now_v7(), now).await?;
        store::schedules::insert(&self.db, row.clone()).await?;
        self.set_timer(&row).await?;
        self.schedule_changed(ctx, "created", &row, Value::Null).await;
        Ok(row.into())
    }

    /// Replace a schedule. From now on it acts for this actor.
    pub async fn replace_schedule(&self, ctx: &Ctx, id: Uuid, new: NewSchedule) -> Result<ScheduleView> {
        ctx.require(permissions::SCHEDULES_WRITE)?;
        ctx.require(permissions::SCRIPTS_RUN)?;
        let before = self.own_schedule(ctx, id).await?;
        let built = self.build_schedule(ctx, new, id, self.later(before.updated_at)).await?;
        let row = schedule::Model {
            created_at: before.created_at,
            last_run_id: before.last_run_id,
            last_due_at: before.last_due_at,
            last_outcome: before.last_outcome.clone(),
            ..built
        };
        self.save_schedule(ctx, "updated", &before, row).await
    }

    /// Switch a schedule on or off.
    pub async fn set_schedule_enabled(&self, ctx: &Ctx, id: Uuid, enabled: bool) -> Result<ScheduleView> {
        ctx.require(permissions::SCHEDULES_WRITE)?;
        let before = self.own_schedule(ctx, id).await?;
        if before.enabled == enabled {
            return Ok(before.into());
        }
        let next_at = rule(&before)?.next(self.now());
        if enabled && next_at.is_none() {
            return Err(Error::invalid("rule", "the rule has no run in the future"));
        }
        let row = schedule::Model {
            enabled,
            next_at: next_at.filter(|_| enabled),
            waiting: None,
            updated_at: self.later(before.updated_at),
            ..before.clone()
        };
        self.save_schedule(ctx, if enabled { "enabled" } else { "disabled" }, &before, row).await
    }

    /// Remove a schedule. Its runs stay.
    pub async fn delete_schedule(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        ctx.require(permissions::SCHEDULES_WRITE)?;
        let row = self.own_schedule(ctx, id).await?;
        store::schedules::delete(&self.db, id).await?;
        self.host.jobs().cancel(&jobs::schedule_key(id)).await?;
        let entity = ("schedule", id.to_string());
        self.audit(ctx, "schedule.deleted", entity, json!(ScheduleView::from(row)), Value::Null).await;
        let data = json!({ "schedule_id": id, "action": "deleted" });
        self.publish(events::event(events::SCHEDULE_CHANGED, permissions::SCHEDULES_READ, data)).await;
        Ok(())
    }

    /// Run a schedule's script now, as the actor.
    pub async fn run_schedule_now(&self, ctx: &Ctx, id: Uuid) -> Result<Made> {
        ctx.require(permissions::SCRIPTS_RUN)?;
        let row = self.seen_schedule(ctx, id).await?;
        let (made, replayed) = match self.plan(ctx, row.script_id, new_run(&row, None)?, Some(row.id)).await?
        {
            Ok(plan) => self.make(ctx, plan).await?,
            Err(made) => (made, true),
        };
        Ok(Made { run: self.show_run(made).await?, replayed })
    }

    /// The next runs of a schedule.
    pub async fn preview_schedule(&self, ctx: &Ctx, id: Uuid, count: usize) -> Result<Preview> {
        ctx.require(permissions::SCHEDULES_READ)?;
        let row = self.seen_schedule(ctx, id).await?;
        Ok(Preview { next: rule(&row)?.preview(self.now(), count) })
    }

    /// The next runs of a rule that is not saved.
    pub async fn preview_rule(&self, ctx: &Ctx, rule: Rule, count: usize) -> Result<Preview> {
        ctx.require(permissions::SCHEDULES_READ)?;
        let now = self.now();
        let rule = rule.check(now).map_err(|e| Error::invalid("rule", e))?;
        Ok(Preview { next: rule.preview(now, count) })
    }

    async fn save_schedule(
        &self,
        ctx: &Ctx,
        action: &str,
        before: &schedule::Model,
        row: schedule::Model,
    ) -> Result<ScheduleView> {
        if !store::schedules::replace(&self.db, &row, before.updated_at).await? {
            return Err(Error::Changed);
        }
        self.set_timer(&row).await?;
        self.schedule_changed(ctx, action, &row, json!(ScheduleView::from(before.clone()))).await;
        Ok(row.into())
    }

    async fn schedule_changed(&self, ctx: &Ctx, action: &str, row: &schedule::Model, before: Value) {
        let entity = ("schedule", row.id.to_string());
        let after = json!(ScheduleView::from(row.clone()));
        self.audit(ctx, &format!("schedule.{action}"), entity, before, after).await;
        let data = json!({ "schedule_id": row.id, "action": action, "next_at": row.next_at });
        self.publish(events::event(events::SCHEDULE_CHANGED, permissions::SCHEDULES_READ, data)).await;
    }

    async fn build_schedule(
        &self,
        ctx: &Ctx,
        new: NewSchedule,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<schedule::Model> {
        let script = self.seen_script(ctx, new.script_id).await?;
        if script.archived_at.is_some() {
            return Err(Error::Archived);
        }
        let version = self.version_of(&script, new.version).await?;
        values::bind(&parameters(&version)?, &new.parameters).map_err(Error::Parameters)?;
        let targets = Targets::check(new.selector, new.machine_ids)?;
        if !targets.machine_ids.is_empty() {
            self.freeze(ctx, &targets).await?;
        }
        let rule = new.rule.check(now).map_err(|e| Error::invalid("rule", e))?;
        Ok(schedule::Model {
            id,
            name: check_name(&new.name)?,
            script_id: new.script_id,
            version: new.version,
            next_at: rule.next(now).filter(|_| new.enabled),
            rule: json!(rule).to_string(),
            selector: targets.selector,
            machine_ids: json!(targets.machine_ids).to_string(),
            parameters: Value::Object(new.parameters).to_string(),
            concurrency: check_range("concurrency", new.concurrency, limits::TARGETS as u32)?,
            timeout_s: check_range("timeout_s", new.timeout_s, limits::TIMEOUT_S)?,
            queue_timeout_s: check_range("queue_timeout_s", new.queue_timeout_s, limits::QUEUE_TIMEOUT_S)?,
            overlap: new.overlap.name().into(),
            missed: new.missed.name().into(),
            enabled: new.enabled,
            actor: ctx.actor.clone(),
            actor_name: ctx.actor_name.clone(),
            principal: ctx.principal(),
            scope: ctx.scope.clone(),
            roles: json!(ctx.roles).to_string(),
            waiting: None,
            last_run_id: None,
            last_due_at: None,
            last_outcome: None,
            created_at: now,
            updated_at: now,
        })
    }

    /// Have the host ring at the next run, or never.
    pub(super) async fn set_timer(&self, row: &schedule::Model) -> Result<()> {
        let key = jobs::schedule_key(row.id);
        let set = match row.next_at.filter(|_| row.enabled) {
            Some(at) => {
                let payload = json!({ "schedule_id": row.id });
                let job = JobSpec { key, name: jobs::RUN_SCHEDULE.into(), at: Some(at), every_s: 0, payload };
                self.host.jobs().schedule(&job).await
            }
            None => self.host.jobs().cancel(&key).await,
        };
        set.map_err(Error::Host)
    }

    async fn seen_schedule(&self, ctx: &Ctx, id: Uuid) -> Result<schedule::Model> {
        let found = store::schedules::find(&self.db, &Viewer::of(ctx), id).await?;
        found.ok_or_else(|| Error::not_found("schedule", id))
    }

    async fn own_schedule(&self, ctx: &Ctx, id: Uuid) -> Result<schedule::Model> {
        let row = self.seen_schedule(ctx, id).await?;
        if row.principal != ctx.principal() && !ctx.allows(permissions::SCRIPTS_MANAGE) {
            return Err(Error::NotOwner);
        }
        Ok(row)
    }
}

pub(super) fn rule(row: &schedule::Model) -> Result<Rule> {
    serde_json::from_str(&row.rule)
        .map_err(|e| EngineError::new("bad_row", format!("The rule of a schedule: {e}.")).into())
}

pub(super) fn new_run(row: &schedule::Model, ring: Option<&str>) -> Result<NewRun> {
    let bad = |e: serde_json::Error| EngineError::new("bad_row", format!("A schedule: {e}."));
    let machine_ids: Vec<Uuid> = serde_json::from_str(&row.machine_ids).map_err(bad)?;
    Ok(NewRun {
        version: row.version,
        selector: Some(row.selector.clone()).filter(|s| !s.is_empty()),
        machine_ids: Some(machine_ids).filter(|ids| !ids.is_empty()),
        parameters: serde_json::from_str(&row.parameters).map_err(bad)?,
        concurrency: natural(row.concurrency),
        timeout_s: natural(row.timeout_s),
        queue_timeout_s: natural(row.queue_timeout_s),
        check: false,
        window: Window::default(),
        justification: format!("Schedule {}", row.name),
        idempotency_key: ring.map(|ring| super::due::ring_key(row, ring)),
    })
}
