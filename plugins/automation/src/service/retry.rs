//! Runs again what did not succeed, or any subset, as a new run.

use plugin_sdk::{Ctx, payloads::operations::TaskState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Made, Service, Window, check_text,
    freeze::Targets,
    natural,
    runs::{Plan, key, state_of, stored_values},
};
use crate::{
    entities::run,
    error::{Error, Result},
    model::{digest, limits, run_state::parse_task_state},
    permissions,
    store::{self, targets::Filter},
};

/// Which machines of a run to run again.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Those in these states; when both lists are empty every one that did not succeed.
    pub states: Vec<String>,
    /// These machines.
    pub machine_ids: Vec<Uuid>,
    /// For the approver, why.
    pub justification: String,
    /// The same key never makes two runs.
    pub idempotency_key: Option<String>,
}

impl Service {
    /// Run again what did not succeed, or any subset, as a new run with the same version and values.
    pub async fn retry_run(&self, ctx: &Ctx, id: Uuid, retry: Retry) -> Result<Made> {
        ctx.require(permissions::SCRIPTS_RUN)?;
        let old = self.seen_run(ctx, id).await?;
        let request_digest = digest::of_json("automation.retry.1", &(id, &retry));
        let key = key(ctx, retry.idempotency_key.as_deref())?;
        if let Some(made) = self.made_before(key.as_deref(), &request_digest).await? {
            return Ok(Made { run: self.show_run(made).await?, replayed: true });
        }
        let state = state_of(&old);
        if !state.is_final() {
            return Err(Error::RunNotEnded(state.name()));
        }
        check_text("justification", &retry.justification)?;
        let script = self.seen_script(ctx, old.script_id).await?;
        if script.archived_at.is_some() {
            return Err(Error::Archived);
        }
        let version = self.version_of(&script, Some(old.version_number)).await?;
        let machine_ids = self.to_retry(&old, &retry).await?;
        let targets = self.freeze(ctx, &Targets { selector: String::new(), machine_ids }).await?;
        let plan = Plan {
            script,
            version,
            values: stored_values(&old)?,
            targets,
            selector: String::new(),
            concurrency: natural(old.concurrency),
            timeout_s: natural(old.timeout_s),
            queue_timeout_s: natural(old.queue_timeout_s),
            check: old.check_only,
            window: Window::default(),
            justification: retry.justification,
            retry_of: Some(old.id),
            schedule_id: None,
            key,
            request_digest,
        };
        let (row, replayed) = self.make(ctx, plan).await?;
        Ok(Made { run: self.show_run(row).await?, replayed })
    }

    async fn to_retry(&self, old: &run::Model, retry: &Retry) -> Result<Vec<Uuid>> {
        if retry.machine_ids.len() > limits::MACHINE_IDS {
            return Err(Error::invalid("machine_ids", format!("expected at most {}", limits::MACHINE_IDS)));
        }
        let mut states = Vec::new();
        for name in &retry.states {
            let state = parse_task_state(name).filter(|s| s.is_final());
            states
                .push(state.ok_or_else(|| Error::invalid("states", format!("`{name}` is no final state")))?);
        }
        if states.is_empty() && retry.machine_ids.is_empty() {
            states = vec![
                TaskState::Failed,
                TaskState::TimedOut,
                TaskState::NoAnswer,
                TaskState::NeverDispatched,
                TaskState::Cancelled,
            ];
        }
        let filter = Filter { states, machine_ids: retry.machine_ids.clone(), digest: None };
        let rows = store::targets::all(&self.db, old.id, &filter).await?;
        if rows.is_empty() {
            Err(Error::NothingToRetry)
        } else {
            Ok(rows.into_iter().map(|t| t.machine_id).collect())
        }
    }
}
