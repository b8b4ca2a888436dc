//! Timers of engines: durable, claimed with a lease, at least once with the same run id.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use plugin_api::{
    EngineError,
    error::encode,
    services::{
        host_calls,
        jobs::{JobCall, JobSpec},
    },
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbBackend, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use super::entity::job::{self, Column as C};
use crate::app::{App, Core};

/// How long a run may take; after that another may begin with the same run id.
const LEASE: Duration = Duration::from_secs(300);
/// Timers of one engine.
const MOST: u64 = 10_000;
const BATCH: u64 = 64;
const LOOK: Duration = Duration::from_millis(500);

/// The timers. Cheap to clone.
#[derive(Clone)]
pub(super) struct Jobs {
    core: Arc<Core>,
    wake: Arc<Notify>,
    running: Arc<Semaphore>,
}

impl Jobs {
    pub fn new(core: Arc<Core>) -> Self {
        Self { core, wake: Arc::default(), running: Arc::new(Semaphore::new(32)) }
    }

    /// Set or replace a timer.
    pub async fn schedule(&self, engine: &str, spec: JobSpec) -> Result<(), EngineError> {
        let failed = |e: DbErr| super::services_failed("schedule a job", e);
        let count = job::Entity::find()
            .filter(C::Engine.eq(engine))
            .count(self.core.db.read())
            .await
            .map_err(failed)?;
        if count >= MOST {
            return Err(EngineError::new("too_many_jobs", format!("At most {MOST} timers.")));
        }
        let row = job::ActiveModel {
            engine: Set(engine.into()),
            key: Set(spec.key),
            name: Set(spec.name),
            due_at: Set(spec.at.unwrap_or_else(|| self.core.clock.now())),
            every_s: Set(spec.every_s.try_into().unwrap_or(i64::MAX)),
            payload: Set(spec.payload),
            run_id: Set(None),
            attempts: Set(0),
            claimed_until: Set(None),
        };
        let replace = OnConflict::columns([C::Engine, C::Key])
            .update_columns([
                C::Name,
                C::DueAt,
                C::EveryS,
                C::Payload,
                C::RunId,
                C::Attempts,
                C::ClaimedUntil,
            ])
            .to_owned();
        let insert = job::Entity::insert(row).on_conflict(replace);
        insert.exec_without_returning(self.core.db.write()).await.map_err(failed)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Remove a timer.
    pub async fn cancel(&self, engine: &str, key: &str) -> Result<(), DbErr> {
        let id = (engine.to_owned(), key.to_owned());
        job::Entity::delete_by_id(id).exec(self.core.db.write()).await.map(drop)
    }

    /// Remove every timer of an engine.
    pub async fn purge(&self, engine: &str) -> Result<(), DbErr> {
        job::Entity::delete_many().filter(C::Engine.eq(engine)).exec(self.core.db.write()).await.map(drop)
    }

    /// Timers of an engine.
    pub async fn list(&self, engine: &str) -> Result<Vec<JobSpec>, DbErr> {
        let rows =
            job::Entity::find().filter(C::Engine.eq(engine)).order_by_asc(C::Key).all(self.core.db.read());
        let spec = |r: job::Model| JobSpec {
            key: r.key,
            name: r.name,
            at: Some(r.due_at),
            every_s: r.every_s.try_into().unwrap_or(0),
            payload: r.payload,
        };
        Ok(rows.await?.into_iter().map(spec).collect())
    }

    /// Run what is due until the host stops.
    pub async fn run(self, app: Weak<App>) {
        let stop = self.core.shutdown.clone();
        if let Err(error) = self.free_claims().await {
            tracing::warn!(%error, "jobs that were running at the last stop run again when their lease ends");
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            let Some(app) = app.upgrade() else { return };
            if let Err(error) = self.look(&app).await {
                tracing::warn!(%error, "due jobs could not be read");
            }
        }
    }

    /// With SQLite there is one host: whoever claimed a job before this process began is gone.
    async fn free_claims(&self) -> Result<(), DbErr> {
        if self.core.db.backend() != DbBackend::Sqlite {
            return Ok(());
        }
        job::Entity::update_many()
            .col_expr(C::ClaimedUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(C::ClaimedUntil.is_not_null())
            .exec(self.core.db.write())
            .await
            .map(drop)
    }

    async fn look(&self, app: &Arc<App>) -> Result<(), DbErr> {
        let engines = app.engines.that_write();
        if engines.is_empty() {
            return Ok(());
        }
        let now = self.core.clock.now();
        let free = Condition::any().add(C::ClaimedUntil.is_null()).add(C::ClaimedUntil.lte(now));
        let due = job::Entity::find()
            .filter(C::Engine.is_in(engines))
            .filter(C::DueAt.lte(now))
            .filter(free)
            .order_by_asc(C::DueAt)
            .limit(BATCH)
            .all(self.core.db.read())
            .await?;
        for row in due {
            let Ok(permit) = self.running.clone().try_acquire_owned() else { return Ok(()) };
            let Some(run_id) = self.claim(&row, now).await? else { continue };
            let (jobs, app) = (self.clone(), app.clone());
            self.core.tasks.spawn(async move {
                let _permit = permit;
                if let Err(error) = jobs.run_one(&app, row, run_id).await {
                    tracing::warn!(%error, "a job's outcome could not be stored; it runs again");
                }
            });
        }
        Ok(())
    }

    /// Take a run; `None` when another host node was faster. The run id stays the same on a repetition.
    async fn claim(&self, row: &job::Model, now: DateTime<Utc>) -> Result<Option<Uuid>, DbErr> {
        let run_id = row.run_id.unwrap_or_else(Uuid::now_v7);
        let free = Condition::any().add(C::ClaimedUntil.is_null()).add(C::ClaimedUntil.lte(now));
        let same = match row.run_id {
            Some(id) => C::RunId.eq(id),
            None => C::RunId.is_null(),
        };
        let until = now + TimeDelta::from_std(LEASE).unwrap_or_default();
        let done = job::Entity::update_many()
            .col_expr(C::RunId, Expr::value(run_id))
            .col_expr(C::ClaimedUntil, Expr::value(until))
            .filter(C::Engine.eq(&row.engine))
            .filter(C::Key.eq(&row.key))
            .filter(C::DueAt.eq(row.due_at))
            .filter(free)
            .filter(same)
            .exec(self.core.db.write())
            .await?;
        Ok((done.rows_affected == 1).then_some(run_id))
    }

    async fn run_one(&self, app: &Arc<App>, row: job::Model, run_id: Uuid) -> Result<(), DbErr> {
        let call = JobCall {
            key: row.key.clone(),
            name: row.name.clone(),
            run_id: run_id.to_string(),
            due_at: Some(row.due_at),
            payload: row.payload.clone(),
        };
        let outcome = match (app.engines.serving(&row.engine), encode(&call)) {
            (Some(live), Ok(payload)) => live.instance.call(host_calls::JOB, payload, LEASE).await.map(drop),
            (None, _) => Err(EngineError::new("engine_unavailable", "The engine is not running.")),
            (_, Err(error)) => Err(error),
        };
        match outcome {
            Ok(()) => self.done(&row, run_id).await,
            Err(error) => {
                tracing::warn!(engine.id = %row.engine, job.key = %row.key, %error, "a job failed and runs again");
                self.again(&row, run_id).await
            }
        }
    }

    /// The next time, or never again. A timer that the engine set anew meanwhile has no run id and stays.
    async fn done(&self, row: &job::Model, run_id: Uuid) -> Result<(), DbErr> {
        let mine =
            Condition::all().add(C::Engine.eq(&row.engine)).add(C::Key.eq(&row.key)).add(C::RunId.eq(run_id));
        if row.every_s <= 0 {
            job::Entity::delete_many().filter(mine).exec(self.core.db.write()).await?;
            return Ok(());
        }
        // Runs that were missed are not made up for: the next one lies ahead.
        let (every, now) = (row.every_s, self.core.clock.now());
        let missed = (now - row.due_at).num_seconds().max(0) / every;
        let step = TimeDelta::try_seconds(every.saturating_mul(missed + 1)).unwrap_or(TimeDelta::MAX);
        let next = row.due_at.checked_add_signed(step).unwrap_or(DateTime::<Utc>::MAX_UTC);
        job::Entity::update_many()
            .col_expr(C::DueAt, Expr::value(next))
            .col_expr(C::RunId, Expr::value(None::<Uuid>))
            .col_expr(C::Attempts, Expr::value(0))
            .col_expr(C::ClaimedUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(mine)
            .exec(self.core.db.write())
            .await
            .map(drop)
    }

    async fn again(&self, row: &job::Model, run_id: Uuid) -> Result<(), DbErr> {
        let wait = TimeDelta::seconds(1 << row.attempts.clamp(0, 9));
        job::Entity::update_many()
            .col_expr(C::Attempts, Expr::value(row.attempts.saturating_add(1)))
            .col_expr(C::ClaimedUntil, Expr::value(self.core.clock.now() + wait))
            .filter(C::Engine.eq(&row.engine))
            .filter(C::Key.eq(&row.key))
            .filter(C::RunId.eq(run_id))
            .exec(self.core.db.write())
            .await
            .map(drop)
    }
}
