//! A timer rang: what is due begins, exactly once however often the host rings.

use std::{collections::BTreeSet, pin::Pin};

use plugin_sdk::{CallContext, Ctx, EngineError, Problem, payloads::jobs::JobCall};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Service,
    schedules::{new_run, rule},
};
use crate::{
    entities::{run, schedule},
    error::Result,
    events, jobs,
    model::rule::{MISSED_AFTER_S, Missed, Overlap},
    permissions, store,
};

/// Future of a run begun from within the end of another.
type Waiting<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

impl Service {
    /// A timer rang.
    pub async fn ring(&self, job: &JobCall) -> Result<()> {
        let id =
            |key: &str| job.payload.get(key).and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok());
        match job.name.as_str() {
            jobs::TICK => self.tick().await,
            jobs::PRUNE => self.prune().await.map(|_| ()),
            jobs::RUN_SCHEDULE => match id("schedule_id") {
                Some(id) => self.due(id, job).await,
                None => Ok(()),
            },
            jobs::START_RUN => match id("run_id") {
                Some(id) => match store::runs::get(&self.db, id).await? {
                    Some(row) => self.open_window(&row).await,
                    None => Ok(()),
                },
                None => Ok(()),
            },
            other => Err(EngineError::unknown("job", other).into()),
        }
    }

    async fn due(&self, id: Uuid, job: &JobCall) -> Result<()> {
        let Some(mut row) = store::schedules::get(&self.db, id).await?.filter(|s| s.enabled) else {
            return Ok(());
        };
        let now = self.now();
        let due_at = job.due_at.or(row.next_at).unwrap_or(now);
        let late = (now - due_at).num_seconds() > MISSED_AFTER_S;
        let overlap = Overlap::parse(&row.overlap).unwrap_or_default();
        let outcome = if store::runs::by_key(&self.db, &stored_key(&row, &job.run_id)).await?.is_some() {
            // The host rang twice for one run: only what followed may be missing.
            self.start(&mut row, &job.run_id).await
        } else if late && row.missed == Missed::Skip.name() {
            "skipped_missed".into()
        } else if !store::runs::open_of_schedule(&self.db, id).await? {
            self.start(&mut row, &job.run_id).await
        } else if overlap == Overlap::Queue {
            row.waiting = Some(job.run_id.clone());
            "queued".into()
        } else {
            "skipped_overlap".into()
        };
        row.last_due_at = Some(due_at);
        row.last_outcome = Some(outcome);
        row.next_at = rule(&row)?.next(now.max(due_at));
        row.enabled = row.next_at.is_some();
        store::schedules::note(&self.db, &row).await?;
        self.set_timer(&row).await?;
        self.tell_due(&row).await;
        Ok(())
    }

    /// The run before has ended: begin the one that waits for it.
    pub(super) fn start_waiting(&self, id: Uuid) -> Waiting<'_> {
        Box::pin(async move {
            let Some(mut row) = store::schedules::get(&self.db, id).await? else { return Ok(()) };
            let Some(waiting) = row.waiting.take() else { return Ok(()) };
            if store::runs::open_of_schedule(&self.db, id).await?
                || !store::schedules::take_waiting(&self.db, id, &waiting).await?
            {
                return Ok(());
            }
            row.last_outcome = Some(self.start(&mut row, &waiting).await);
            store::schedules::note(&self.db, &row).await?;
            self.tell_due(&row).await;
            Ok(())
        })
    }

    /// Begin a run of a schedule. The host's id of the ring makes it one run, however often this is called.
    async fn start(&self, row: &mut schedule::Model, ring: &str) -> String {
        match self.try_start(row, ring).await {
            Ok(run) => {
                row.last_run_id = Some(run.id);
                "started".into()
            }
            Err(error) => {
                tracing::warn!(%error, schedule.id = %row.id, "a scheduled run does not begin");
                let problem = Problem::from(error);
                format!("failed: {problem}").chars().take(1_000).collect()
            }
        }
    }

    async fn try_start(&self, row: &schedule::Model, ring: &str) -> Result<run::Model> {
        let ctx = Ctx(context_of(row));
        match self.plan(&ctx, row.script_id, new_run(row, Some(ring))?, Some(row.id)).await? {
            Ok(plan) => Ok(self.make(&ctx, plan).await?.0),
            Err(made) => Ok(made),
        }
    }

    async fn tell_due(&self, row: &schedule::Model) {
        let data = json!({
            "schedule_id": row.id, "action": "due", "outcome": row.last_outcome, "run_id": row.last_run_id,
            "next_at": row.next_at,
        });
        self.publish(events::event(events::SCHEDULE_CHANGED, permissions::SCHEDULES_READ, data)).await;
    }
}

/// Whoever saved the schedule, with the reach they had then.
fn context_of(row: &schedule::Model) -> CallContext {
    CallContext {
        actor: row.actor.clone(),
        actor_name: format!("{} (schedule {})", row.actor_name, row.name),
        user: row.principal.strip_prefix("user:").map(str::to_owned),
        roles: serde_json::from_str(&row.roles).unwrap_or_default(),
        permissions: BTreeSet::from([permissions::SCRIPTS_RUN.to_owned()]),
        scope: row.scope.clone(),
        request_id: format!("schedule-{}", row.id),
        ..CallContext::default()
    }
}

pub(super) fn ring_key(row: &schedule::Model, ring: &str) -> String {
    format!("schedule {} {}", row.id, ring.chars().take(100).collect::<String>())
}

/// The key as the run keeps it.
fn stored_key(row: &schedule::Model, ring: &str) -> String {
    format!("{} {}", row.principal, ring_key(row, ring))
}
