//! Rollouts in the background: one batch after the other, each an operation; a pause when too many fail.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
    time::Duration,
};

use agent_protocol::core_command::AgentUpdate;
use plugin_api::services::operations::TaskState;
use serde_json::json;
use uuid::Uuid;

use super::{ReleaseFault, Releases, RolloutState, entity::rollout, model::operations, store};
use crate::{
    app::App,
    ctx::{Ctx, Scope},
    machines,
    notifications::{Level, NewNotification},
    operations::{NewOperation, Targets},
};

/// How often to look whether a batch has ended.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(releases: Releases, app: Weak<App>) {
    let stop = releases.core.shutdown.clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = releases.wake.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        let Some(app) = app.upgrade() else { return };
        let running = match store::in_state(releases.core.db.read(), "running").await {
            Ok(running) => running,
            Err(error) => {
                tracing::warn!(%error, "rollouts cannot be read");
                continue;
            }
        };
        for row in running {
            let id = row.id;
            if let Err(error) = advance(&releases, &app, row).await {
                tracing::warn!(%error, rollout.id = %id, "a rollout cannot go on; trying again");
            }
        }
    }
}

/// What the batches so far came to.
#[derive(Default)]
struct SoFar {
    tried: HashSet<Uuid>,
    failures: usize,
    open: bool,
}

async fn advance(releases: &Releases, app: &Arc<App>, row: rollout::Model) -> Result<(), ReleaseFault> {
    let ctx = Ctx::job("agent_rollout");
    let so_far = look(app, &ctx, &row).await?;
    if so_far.failures > usize::try_from(row.max_failures).unwrap_or(0) {
        let reason = format!("{} machines could not be updated", so_far.failures);
        return pause(releases, row, reason).await;
    }
    if so_far.open {
        return Ok(());
    }
    let (all, next) = next_batch(releases, &ctx, &row, &so_far.tried).await?;
    if next.is_empty() {
        return releases.change(row, RolloutState::Finished, String::new()).await.map(drop);
    }
    let size = (all * usize::try_from(row.batch_percent).unwrap_or(1)).div_ceil(100).max(1);
    let batch: Vec<Uuid> = next.into_iter().take(size).collect();
    let update = AgentUpdate {
        version: row.version.clone(),
        files: releases.targets(&row.version).await?,
        confirm_within_s: row.confirm_within_s.try_into().ok(),
    };
    let number = operations(&row).len();
    let new = NewOperation {
        payload: json!(update),
        // A crash between the two writes finds the same operation again.
        idempotency_key: Some(format!("agent-rollout/{}/{number}", row.id)),
        ..NewOperation::core("core.agent.update", String::new(), Targets::Machines(batch))
    };
    let operation = app.operations.create(&ctx, new).await?;
    let mut ids = operations(&row);
    ids.push(operation);
    let row = rollout::Model { operations: json!(ids), ..row };
    releases.change(row, RolloutState::Running, String::new()).await.map(drop)
}

async fn look(app: &Arc<App>, ctx: &Ctx, row: &rollout::Model) -> Result<SoFar, ReleaseFault> {
    let mut so_far = SoFar::default();
    for operation in operations(row) {
        let mut after = None;
        loop {
            let page = app.operations.tasks(ctx, operation, &[], after, 500).await?;
            for task in &page.items {
                so_far.tried.insert(task.machine_id);
                so_far.open |= !task.state.is_final();
                so_far.failures += usize::from(task.state.is_final() && task.state != TaskState::Succeeded);
            }
            after = page.items.last().map(|task| task.id);
            if page.next_cursor.is_none() {
                break;
            }
        }
    }
    Ok(so_far)
}

/// How many machines there are in all, and those that have not been tried.
async fn next_batch(
    releases: &Releases,
    ctx: &Ctx,
    row: &rollout::Model,
    tried: &HashSet<Uuid>,
) -> Result<(usize, Vec<Uuid>), ReleaseFault> {
    let scope = if row.scope.is_empty() { Scope::All } else { Scope::Selector(row.scope.clone()) };
    let targets: Vec<String> =
        releases.targets(&row.version).await?.into_iter().map(|file| file.target).collect();
    let db = releases.core.db.read();
    let (which, what) = ((row.selector.as_str(), &scope), (row.version.as_str(), targets.as_slice()));
    let found = machines::targets::to_update(db, &releases.core.selectors, ctx, which, what).await;
    let found = found.map_err(|error| match error {
        machines::targets::TargetError::Selector(e) => {
            ReleaseFault::Invalid { field: "selector", detail: e.to_string() }
        }
        machines::targets::TargetError::Database(e) => e.into(),
    })?;
    let all = found.iter().filter(|id| !tried.contains(*id)).count() + tried.len();
    Ok((all, found.into_iter().filter(|id| !tried.contains(id)).collect()))
}

async fn pause(releases: &Releases, row: rollout::Model, reason: String) -> Result<(), ReleaseFault> {
    let title = format!("The rollout of agent {} is paused", row.version);
    let notification = NewNotification {
        user: None,
        permission: Some("agents:manage".into()),
        source: "core".into(),
        level: Level::Warning,
        title,
        body: format!("{reason}. Look at its last operation, then resume or cancel it."),
        link: None,
    };
    releases.change(row, RolloutState::Paused, reason).await?;
    if let Err(error) = releases.core.notifications.send(notification).await {
        tracing::warn!(%error, "nobody could be told that a rollout is paused");
    }
    Ok(())
}
