//! Tells engines of their tasks: at least once, in order per task, across restarts.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use plugin_api::{
    error::encode,
    services::{host_calls, operations::TaskEvent},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::entity::outbox::{self, Column as C};
use crate::{
    app::{App, Core},
    ctx::Ctx,
    operations::{Operation, OperationFilter, TaskListener},
};

/// Events that wait to be stored. When it is full, a restart's look at the tasks makes up for what was dropped.
const QUEUE: usize = 65_536;
const BATCH: usize = 256;
const DEADLINE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(500);
/// Failures after which an event is given up: an engine that cannot take it would block all that follow.
const ATTEMPTS: i32 = 20;

/// The listener of the operations slice.
pub(super) struct Outbox {
    core: Arc<Core>,
    queue: mpsc::Sender<(String, TaskEvent)>,
    arriving: Mutex<Option<mpsc::Receiver<(String, TaskEvent)>>>,
    stored: Notify,
}

impl TaskListener for Outbox {
    fn task_changed(&self, engine: &str, event: TaskEvent) {
        if self.queue.try_send((engine.to_owned(), event)).is_err() {
            tracing::error!(engine.id = engine, "too many changed tasks wait for an engine; one was dropped");
        }
    }
}

impl Outbox {
    pub fn new(core: Arc<Core>) -> Self {
        let (queue, arriving) = mpsc::channel(QUEUE);
        Self { core, queue, arriving: Mutex::new(Some(arriving)), stored: Notify::new() }
    }

    /// Store what arrives and deliver what is stored, until the host stops.
    pub fn start(self: &Arc<Self>, app: Weak<App>) {
        let Some(arriving) = self.arriving.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        self.core.tasks.spawn(self.clone().store(arriving));
        self.core.tasks.spawn(self.clone().catch_up(app.clone()));
        self.core.tasks.spawn(self.clone().deliver(app));
    }

    /// Tell engines again of the tasks of their operations that are open, or ended within the last hour: between a
    /// change and its place in the outbox the host may have died.
    async fn catch_up(self: Arc<Self>, app: Weak<App>) {
        let ctx = Ctx::system("outbox");
        let now = self.core.clock.now();
        for finished in [false, true] {
            let mut after = None;
            loop {
                let Some(app) = app.upgrade() else { return };
                let filter = OperationFilter { finished: Some(finished), ..OperationFilter::default() };
                let page = match app.operations.list(&ctx, filter, after, 200).await {
                    Ok(page) => page,
                    Err(error) => {
                        return tracing::warn!(%error, "operations could not be read for their engines");
                    }
                };
                after = page.items.last().map(|o| o.id);
                let last = page.items.last().map(|o| o.created_at);
                let more = page.next_cursor.is_some();
                for operation in page.items {
                    let open = operation.finished_at.is_none_or(|at| at >= now - chrono::TimeDelta::hours(1));
                    if let (Some(engine), true) = (operation.engine.clone(), open) {
                        self.tell_again(&app, &ctx, &engine, &operation).await;
                    }
                }
                // Newest first: what was made a day before can hardly have ended just now.
                let old = last.is_none_or(|at| at < now - chrono::TimeDelta::days(1));
                if !more || (finished && old) {
                    break;
                }
            }
        }
    }

    async fn tell_again(&self, app: &App, ctx: &Ctx, engine: &str, operation: &Operation) {
        let mut after = None;
        loop {
            let Ok(page) = app.operations.tasks(ctx, operation.id, &[], after, 500).await else { return };
            after = page.items.last().map(|t| t.id);
            let more = page.next_cursor.is_some();
            for task in page.items.into_iter().filter(|t| t.dispatched_at.is_some() || t.state.is_final()) {
                let event = TaskEvent {
                    task: super::told(task),
                    operation_finished: operation.finished_at.is_some(),
                };
                if self.queue.send((engine.to_owned(), event)).await.is_err() {
                    return;
                }
            }
            if !more {
                return;
            }
        }
    }

    async fn store(self: Arc<Self>, mut arriving: mpsc::Receiver<(String, TaskEvent)>) {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                n = arriving.recv_many(&mut batch, BATCH) => if n == 0 { return },
                () = self.core.shutdown.cancelled() => return,
            }
            while let Err(error) = self.insert(&batch).await {
                tracing::warn!(%error, "changed tasks could not be stored for their engines; trying again");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = self.core.shutdown.cancelled() => return,
                }
            }
            batch.clear();
            self.stored.notify_one();
        }
    }

    async fn insert(&self, batch: &[(String, TaskEvent)]) -> Result<(), DbErr> {
        let now = self.core.clock.now();
        let row = |(engine, event): &(String, TaskEvent)| outbox::ActiveModel {
            id: Set(Uuid::now_v7()),
            engine: Set(engine.clone()),
            payload: Set(serde_json::to_value(event).unwrap_or_default()),
            attempts: Set(0),
            created_at: Set(now),
        };
        outbox::Entity::insert_many(batch.iter().map(row))
            .exec_without_returning(self.core.db.write())
            .await
            .map(drop)
    }

    async fn deliver(self: Arc<Self>, app: Weak<App>) {
        let busy: Arc<Mutex<HashSet<String>>> = Arc::default();
        loop {
            tokio::select! {
                () = self.core.shutdown.cancelled() => return,
                () = self.stored.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            let Some(app) = app.upgrade() else { return };
            // Engines that may only read still learn how their tasks ended.
            for engine in app.engines.that_serve() {
                if !busy.lock().unwrap_or_else(PoisonError::into_inner).insert(engine.clone()) {
                    continue;
                }
                let (outbox, app, busy) = (self.clone(), app.clone(), busy.clone());
                self.core.tasks.spawn(async move {
                    if let Err(error) = outbox.drain(&app, &engine).await {
                        tracing::warn!(engine.id = %engine, %error, "changed tasks could not be read");
                    }
                    busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&engine);
                });
            }
        }
    }

    /// Deliver what one engine has not confirmed, oldest first.
    async fn drain(&self, app: &Arc<App>, engine: &str) -> Result<(), DbErr> {
        loop {
            let rows = outbox::Entity::find()
                .filter(C::Engine.eq(engine))
                .order_by_asc(C::Id)
                .limit(BATCH as u64)
                .all(self.core.db.read())
                .await?;
            let full = rows.len() == BATCH;
            let mut done = Vec::new();
            let mut failed = None;
            for row in rows {
                let Some(live) = app.engines.serving(engine) else { break };
                let Ok(payload) = encode(&row.payload) else { continue };
                match live.instance.call(host_calls::TASK_EVENT, payload, DEADLINE).await {
                    Ok(_) => done.push(row.id),
                    Err(error) if row.attempts >= ATTEMPTS => {
                        tracing::error!(engine.id = engine, %error, "an engine never took a changed task; given up");
                        done.push(row.id);
                    }
                    Err(error) => {
                        tracing::warn!(engine.id = engine, %error, "an engine did not take a changed task; again soon");
                        failed = Some(row);
                        break;
                    }
                }
            }
            let stop = failed.is_some() || done.is_empty() || !full;
            outbox::Entity::delete_many().filter(C::Id.is_in(done)).exec(self.core.db.write()).await?;
            if let Some(row) = failed {
                self.note_failure(row).await?;
            }
            if stop {
                return Ok(());
            }
        }
    }

    async fn note_failure(&self, row: outbox::Model) -> Result<(), DbErr> {
        use sea_orm::sea_query::Expr;
        outbox::Entity::update_many()
            .col_expr(C::Attempts, Expr::value(row.attempts + 1))
            .filter(C::Id.eq(row.id))
            .exec(self.core.db.write())
            .await?;
        tokio::time::sleep(Duration::from_millis(200 << row.attempts.clamp(0, 7))).await;
        Ok(())
    }

    /// Forget what an engine was to be told.
    pub async fn purge(&self, engine: &str) -> Result<(), DbErr> {
        outbox::Entity::delete_many().filter(C::Engine.eq(engine)).exec(self.core.db.write()).await.map(drop)
    }
}
