//! Hands a run to the host: checks once more what was approved, and makes the operation.

use std::collections::BTreeSet;

use plugin_sdk::{
    CallContext, Ctx, EngineError,
    payloads::{
        jobs::JobSpec,
        operations::{CancelRequest, NewOperation, TaskState},
    },
    sea_orm::TransactionTrait,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Service, flat, natural,
    runs::{bind, state_of, stored_values},
    scripts::interpreter,
    versions::{is_secret, parameters},
};
use crate::{
    entities::{approval, run, script_version},
    error::{Error, Result},
    events, jobs,
    model::{
        binding::Behaviour,
        digest,
        interpreter::Passing,
        run_state::RunState,
        values::{Bound, Values},
        wire::{ScriptJob, WireValue},
    },
    permissions,
    store::{self, targets::Filter},
};

/// Why a run cannot begin.
struct Obstacle {
    reason: String,
    approval: &'static str,
}

impl Service {
    /// Begin a run that is starting. A host that cannot just now is asked again by the tick.
    ///
    /// # Errors
    /// Only when the database fails; a run that may not begin becomes `refused`, with its reason.
    pub(super) async fn dispatch(&self, id: Uuid) -> Result<()> {
        let Some(row) = store::runs::get(&self.db, id).await? else { return Ok(()) };
        if state_of(&row) != RunState::Starting {
            return Ok(());
        }
        let Some(version) = store::scripts::version_by_id(&self.db, row.version_id).await? else {
            return self.refuse(&row, "its version is gone", "invalid").await;
        };
        let values = stored_values(&row)?;
        let targets = store::targets::all(&self.db, id, &Filter::default()).await?;
        let machines: Vec<_> = targets.iter().map(|t| t.machine_id.to_string()).collect();
        if let Err(obstacle) = self.clear(&row, &version, &values, &machines).await? {
            return self.refuse(&row, &obstacle.reason, obstacle.approval).await;
        }
        let operation = self.operation(&row, &version, &values, machines).await?;
        match self.host.operations().create(&operation).await {
            Ok(created) => self.begun(&row, &created.id).await,
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, run.id = %id, "the host cannot begin a run just now");
                Ok(())
            }
            Err(error) => self.refuse(&row, &format!("{} ({})", error.message, error.code), "invalid").await,
        }
    }

    /// What was approved must be what is there, now.
    async fn clear(
        &self,
        row: &run::Model,
        version: &script_version::Model,
        values: &Values,
        machines: &[String],
    ) -> Result<Result<(), Obstacle>> {
        let altered = |reason: &str| Ok(Err(Obstacle { reason: reason.into(), approval: "invalid" }));
        if !is_intact(version)? {
            return altered("the stored script is not the one that was saved: its digest differs");
        }
        let Some(approval) = store::approvals::of_run(&self.db, row.id).await? else {
            if version.privileged && !row.check_only {
                return altered("the script is privileged and nobody approved the run");
            }
            return Ok(Ok(()));
        };
        if bind(row, version, values, machines).digest() != approval.binding {
            return altered("script, values, targets, window or limits are not those that were approved");
        }
        match approval.state.as_str() {
            "used" => Ok(Ok(())),
            "approved" if approval.expires_at <= self.now() => {
                Ok(Err(Obstacle { reason: "the approval has lapsed".into(), approval: "expired" }))
            }
            "approved" => self.use_approval(&approval).await,
            other => altered(&format!("the approval is {other}")),
        }
    }

    async fn use_approval(&self, approval: &approval::Model) -> Result<Result<(), Obstacle>> {
        store::approvals::advance(&self.db, approval.id, "approved", "used", None).await?;
        Ok(Ok(()))
    }

    async fn operation(
        &self,
        row: &run::Model,
        version: &script_version::Model,
        values: &Values,
        machines: Vec<String>,
    ) -> Result<NewOperation> {
        let settings = self.settings().await?;
        let (job, secrets) = job(row, version, values, settings.output_limit_bytes)?;
        let verb = if row.check_only { "Check" } else { "Run" };
        Ok(NewOperation {
            context: context_of(row),
            command: if row.check_only { "check_script".into() } else { "run_script".into() },
            title: format!("{verb} {} (version {})", row.script_name, row.version_number),
            machines,
            payload: serde_json::to_value(&job).map_err(EngineError::bad_payload)?,
            secrets,
            timeout_s: natural(row.timeout_s),
            queue_timeout_s: natural(row.queue_timeout_s),
            concurrency: natural(row.concurrency),
            idempotency_key: Some(row.id.to_string()),
        })
    }

    async fn begun(&self, row: &run::Model, operation_id: &str) -> Result<()> {
        let context = context_of(row);
        if !store::runs::started(&self.db, row.id, operation_id, self.now()).await? {
            let now_there = store::runs::get(&self.db, row.id).await?;
            if now_there.is_some_and(|r| r.operation_id.as_deref() == Some(operation_id)) {
                return Ok(());
            }
            // It was cancelled while the host made the operation.
            let request = CancelRequest { context, operation_id: operation_id.into(), tasks: Vec::new() };
            return self.host.operations().cancel(&request).await.map_err(Error::Host);
        }
        let ctx = Ctx(context);
        let after = json!({ "operation_id": operation_id, "targets": row.targets });
        self.audit(&ctx, "run.started", ("run", row.id.to_string()), Value::Null, after).await;
        if let Some(row) = store::runs::get(&self.db, row.id).await? {
            self.publish(events::of_run(events::RUN_STARTED, &row)).await;
            // Tasks may have moved before the run knew its operation; their events found nothing.
            self.sync(&row).await?;
        }
        Ok(())
    }

    async fn refuse(&self, row: &run::Model, reason: &str, approval: &str) -> Result<()> {
        if self.end_unstarted(row, RunState::Refused, reason, approval).await? {
            let after = json!({ "state": "refused", "reason": reason });
            self.audit(&Ctx(context_of(row)), "run.refused", ("run", row.id.to_string()), Value::Null, after)
                .await;
        }
        Ok(())
    }

    /// End a run that the host never had. False when it is not where it was any longer.
    pub(super) async fn end_unstarted(
        &self,
        row: &run::Model,
        to: RunState,
        reason: &str,
        approval: &str,
    ) -> Result<bool> {
        let (id, from, now) = (row.id, state_of(row), self.now());
        let (reason, approval_state) = (reason.to_owned(), approval.to_owned());
        let ended = self
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    if !store::runs::advance(tx, id, from, to, Some(&reason), now).await? {
                        return Ok(false);
                    }
                    let count = store::targets::cancel_queued(tx, id).await?;
                    store::runs::count(tx, id, TaskState::Queued, TaskState::Cancelled, count).await?;
                    if let Some(approval) = store::approvals::of_run(tx, id).await? {
                        for open in ["pending", "approved", "used"] {
                            store::approvals::advance(tx, approval.id, open, &approval_state, None).await?;
                        }
                    }
                    Ok(true)
                })
            })
            .await
            .map_err(flat)?;
        if ended && let Some(row) = store::runs::get(&self.db, id).await? {
            self.finished(&row).await?;
        }
        Ok(ended)
    }

    /// Have the host call back when a run's window opens.
    pub(super) async fn schedule_start(&self, row: &run::Model) -> Result<()> {
        let job = JobSpec {
            key: format!("start:{}", row.id),
            name: jobs::START_RUN.into(),
            at: row.not_before,
            every_s: 0,
            payload: json!({ "run_id": row.id }),
        };
        self.host.jobs().schedule(&job).await.map_err(Error::Host)
    }

    /// Begin a run whose window may be open now.
    pub(super) async fn open_window(&self, row: &run::Model) -> Result<()> {
        let now = self.now();
        if row.not_after.is_some_and(|end| end <= now) {
            self.end_unstarted(row, RunState::Expired, "its window closed", "expired").await?;
            return Ok(());
        }
        if row.not_before.is_none_or(|start| start <= now)
            && store::runs::advance(&self.db, row.id, RunState::Waiting, RunState::Starting, None, now)
                .await?
        {
            self.dispatch(row.id).await?;
        }
        Ok(())
    }
}

/// The context of whoever made a run, for what the host does later on their behalf.
pub(super) fn context_of(row: &run::Model) -> CallContext {
    CallContext {
        actor: row.actor.clone(),
        actor_name: row.actor_name.clone(),
        user: row.principal.strip_prefix("user:").map(str::to_owned),
        permissions: BTreeSet::from([permissions::SCRIPTS_RUN.to_owned()]),
        scope: row.scope.clone(),
        request_id: row.request_id.clone(),
        ..CallContext::default()
    }
}

/// Whether asking again may help.
fn is_passing(error: &EngineError) -> bool {
    matches!(
        error.code.as_str(),
        "unavailable"
            | "engine_unavailable"
            | "timed_out"
            | "deadline_exceeded"
            | "limit_reached"
            | "internal"
    )
}

/// Whether a stored version is what its digests say.
fn is_intact(version: &script_version::Model) -> Result<bool> {
    let sha256 = digest::sha256(version.content.as_bytes());
    let fingerprint = Behaviour {
        content_sha256: &sha256,
        interpreter: interpreter(&version.interpreter)?,
        passing: Passing::parse(&version.passing).unwrap_or_default(),
        parameters: &parameters(version)?,
        privileged: version.privileged,
        run_as: version.run_as.as_deref(),
        working_directory: version.working_directory.as_deref(),
    }
    .fingerprint();
    Ok(sha256 == version.sha256 && fingerprint == version.fingerprint)
}

/// The agent's payload, and where the host puts which secret when it sends it.
fn job(
    row: &run::Model,
    version: &script_version::Model,
    values: &Values,
    output_limit_bytes: u64,
) -> Result<(ScriptJob, Vec<(String, String)>)> {
    let declared = parameters(version)?;
    let mut wire = Vec::with_capacity(declared.len());
    let mut secrets = Vec::new();
    for parameter in &declared {
        let bound = values.get(&parameter.name);
        if is_secret(parameter) && bound.is_none() {
            // An optional secret that was not given: the script sees no variable.
            continue;
        }
        let value = match bound {
            Some(Bound::Secret(name)) => {
                secrets.push((format!("/parameters/{}/value", wire.len()), name.clone()));
                None
            }
            Some(Bound::Plain(text)) => Some(text.clone()),
            None => None,
        };
        wire.push(WireValue { name: parameter.name.clone(), secret: is_secret(parameter), value });
    }
    let job = ScriptJob {
        run_id: row.id.to_string(),
        interpreter: interpreter(&version.interpreter)?,
        content: version.content.clone(),
        sha256: version.sha256.clone(),
        passing: Passing::parse(&version.passing).unwrap_or_default(),
        parameters: wire,
        run_as: version.run_as.clone(),
        working_directory: version.working_directory.clone(),
        timeout_s: natural(row.timeout_s),
        output_limit_bytes,
    };
    Ok((job, secrets))
}
