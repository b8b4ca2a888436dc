//! Stops a run, or some of its machines.

use std::collections::HashSet;

use plugin_sdk::{
    Ctx,
    payloads::operations::{CancelRequest, TasksRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Service, runs::state_of};
use crate::{
    error::{Error, Result},
    model::run_state::RunState,
    permissions, store,
    views::RunView,
};

/// Which machines of a run to stop; all when empty.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cancel {
    /// Machines.
    pub machine_ids: Vec<Uuid>,
}

impl Service {
    /// Stop a run, or some of its machines.
    pub async fn cancel_run(&self, ctx: &Ctx, id: Uuid, cancel: Cancel) -> Result<RunView> {
        ctx.require(permissions::RUNS_CANCEL)?;
        let row = self.seen_run(ctx, id).await?;
        let state = state_of(&row);
        if state.is_final() {
            return Err(Error::RunEnded(state.name()));
        }
        let before = json!({ "state": row.state });
        match &row.operation_id {
            None if !cancel.machine_ids.is_empty() => {
                return Err(Error::invalid("machine_ids", "the run has not begun; cancel it whole"));
            }
            None => {
                if !self
                    .end_unstarted(&row, RunState::Cancelled, "cancelled before it began", "withdrawn")
                    .await?
                {
                    return Err(Error::Changed);
                }
            }
            Some(operation_id) => {
                let tasks = self.tasks_on(operation_id, &cancel.machine_ids).await?;
                let request =
                    CancelRequest { context: ctx.0.clone(), operation_id: operation_id.clone(), tasks };
                self.host.operations().cancel(&request).await?;
                self.sync(&row).await?;
            }
        }
        let after = json!({ "cancelled": true, "machine_ids": cancel.machine_ids });
        self.audit(ctx, "run.cancelled", ("run", id.to_string()), before, after).await;
        let row = store::runs::get(&self.db, id).await?.ok_or_else(|| Error::not_found("run", id))?;
        self.show_run(row).await
    }

    /// Tasks of an operation on some machines; none asked for means all, which the host reads from an empty list.
    async fn tasks_on(&self, operation_id: &str, machine_ids: &[Uuid]) -> Result<Vec<String>> {
        if machine_ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: HashSet<_> = machine_ids.iter().map(Uuid::to_string).collect();
        let mut tasks = Vec::new();
        let mut after = None;
        loop {
            let request = TasksRequest { operation_id: operation_id.into(), after, limit: 0 };
            let page = self.host.operations().tasks(&request).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            tasks.extend(page.into_iter().filter(|t| wanted.contains(&t.machine_id)).map(|t| t.id));
        }
        if tasks.len() < wanted.len() {
            return Err(Error::invalid("machine_ids", "expected machines of this run"));
        }
        Ok(tasks)
    }
}
