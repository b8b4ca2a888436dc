//! Runs: make, list, show.

use chrono::{DateTime, Utc};
use plugin_sdk::{Ctx, db::is_unique_violation, payloads::operations::TaskState, sea_orm::TransactionTrait};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Service, Settings, check_range, check_text, flat,
    freeze::{Target, Targets},
    natural,
    versions::parameters,
};
use crate::{
    entities::{approval, run, run_target, script, script_version},
    error::{Error, Result},
    events,
    model::{
        binding::{self, Binding},
        digest, limits,
        run_state::{RunState, task_state_name},
        values::{self, Values},
    },
    permissions,
    store::{self, PageRequest, Viewer, runs::Filter},
    views::{Page, RunView},
};

/// When a run may begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// Not before this.
    pub not_before: Option<DateTime<Utc>>,
    /// Not after this.
    pub not_after: Option<DateTime<Utc>>,
}

/// A run to make.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewRun {
    /// Version; the newest when absent.
    pub version: Option<i32>,
    /// Selector of machines; or `machine_ids`.
    pub selector: Option<String>,
    /// Machines; or `selector`.
    pub machine_ids: Option<Vec<Uuid>>,
    /// Values by parameter; of a secret its name.
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// Tasks at the same time; 0 for no limit.
    pub concurrency: u32,
    /// Seconds a task may run; 0 for the version's, then the engine's setting.
    pub timeout_s: u32,
    /// Seconds a task waits for its machine; 0 for the host's default.
    pub queue_timeout_s: u32,
    /// Only check the syntax on the machines.
    pub check: bool,
    /// When it may begin.
    pub window: Window,
    /// For the approver, why.
    pub justification: String,
    /// The same key never makes two runs; the header `Idempotency-Key` does the same.
    pub idempotency_key: Option<String>,
}

/// A run that was made, or the one that an idempotency key made before.
#[derive(Debug)]
pub struct Made {
    /// The run.
    pub run: RunView,
    /// Whether it existed already.
    pub replayed: bool,
}

/// Everything a new run is built from, checked.
pub(super) struct Plan {
    pub script: script::Model,
    pub version: script_version::Model,
    pub values: Values,
    pub targets: Vec<Target>,
    pub selector: String,
    pub concurrency: u32,
    pub timeout_s: u32,
    pub queue_timeout_s: u32,
    pub check: bool,
    pub window: Window,
    pub justification: String,
    pub retry_of: Option<Uuid>,
    pub schedule_id: Option<Uuid>,
    /// Principal and key.
    pub key: Option<String>,
    pub request_digest: String,
}

impl Service {
    /// A page of runs, newest first.
    pub async fn list_runs(&self, ctx: &Ctx, filter: &Filter, page: PageRequest) -> Result<Page<RunView>> {
        ctx.require(permissions::RUNS_READ)?;
        let rows = store::runs::list(&self.db, &Viewer::of(ctx), filter, page).await?;
        Ok(Page::of(rows, page.limit, |r| r.id, RunView::from))
    }

    /// One run.
    pub async fn get_run(&self, ctx: &Ctx, id: Uuid) -> Result<RunView> {
        ctx.require(permissions::RUNS_READ)?;
        let row = self.seen_run(ctx, id).await?;
        self.show_run(row).await
    }

    /// Make a run: its targets are frozen now. One that needs no approval begins at once or when its window opens.
    pub async fn create_run(&self, ctx: &Ctx, script_id: Uuid, new: NewRun) -> Result<Made> {
        ctx.require(permissions::SCRIPTS_RUN)?;
        let plan = match self.plan(ctx, script_id, new, None).await? {
            Ok(plan) => plan,
            Err(made) => return Ok(Made { run: self.show_run(made).await?, replayed: true }),
        };
        let (row, replayed) = self.make(ctx, plan).await?;
        Ok(Made { run: self.show_run(row).await?, replayed })
    }

    /// Check a request. The inner error is the run that its key made before.
    pub(super) async fn plan(
        &self,
        ctx: &Ctx,
        script_id: Uuid,
        new: NewRun,
        schedule_id: Option<Uuid>,
    ) -> Result<Result<Plan, run::Model>> {
        let request_digest = digest::of_json("automation.request.1", &(script_id, &new));
        let key = key(ctx, new.idempotency_key.as_deref())?;
        if let Some(made) = self.made_before(key.as_deref(), &request_digest).await? {
            return Ok(Err(made));
        }
        let script = self.seen_script(ctx, script_id).await?;
        if script.archived_at.is_some() {
            return Err(Error::Archived);
        }
        let version = self.version_of(&script, new.version).await?;
        let values = values::bind(&parameters(&version)?, &new.parameters).map_err(Error::Parameters)?;
        check_text("justification", &new.justification)?;
        check_window(new.window, self.now())?;
        check_range("timeout_s", new.timeout_s, limits::TIMEOUT_S)?;
        check_range("queue_timeout_s", new.queue_timeout_s, limits::QUEUE_TIMEOUT_S)?;
        check_range("concurrency", new.concurrency, limits::TARGETS as u32)?;
        let chosen = Targets::check(new.selector, new.machine_ids)?;
        let targets = self.freeze(ctx, &chosen).await?;
        Ok(Ok(Plan {
            script,
            version,
            values,
            targets,
            selector: chosen.selector,
            concurrency: new.concurrency,
            timeout_s: new.timeout_s,
            queue_timeout_s: new.queue_timeout_s,
            check: new.check,
            window: new.window,
            justification: new.justification,
            retry_of: None,
            schedule_id,
            key,
            request_digest,
        }))
    }

    pub(super) async fn made_before(
        &self,
        key: Option<&str>,
        request_digest: &str,
    ) -> Result<Option<run::Model>> {
        let Some(key) = key else { return Ok(None) };
        match store::runs::by_key(&self.db, key).await? {
            Some(made) if made.request_digest != request_digest => Err(Error::KeyReused),
            // The host may have stopped between the run and its operation: asking again goes on from there.
            Some(made) if state_of(&made) == RunState::Starting => {
                self.dispatch(made.id).await?;
                Ok(store::runs::get(&self.db, made.id).await?)
            }
            found => Ok(found),
        }
    }

    /// Store a planned run and begin it when nothing stands in the way.
    pub(super) async fn make(&self, ctx: &Ctx, plan: Plan) -> Result<(run::Model, bool)> {
        let settings = self.settings().await?;
        let now = self.now();
        let needs_approval = !plan.check && (plan.version.privileged || settings.require_approval);
        let state = match plan.window.not_before {
            _ if needs_approval => RunState::AwaitingApproval,
            Some(at) if at > now => RunState::Waiting,
            _ => RunState::Starting,
        };
        let row = self.build_run(ctx, &plan, &settings, state);
        let targets: Vec<_> = plan.targets.iter().map(|t| target_row(row.id, t)).collect();
        let approval = needs_approval.then(|| self.build_approval(ctx, &plan, &row, &settings));
        let (stored, asked) = (row.clone(), approval.clone());
        let inserted = self
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    store::runs::insert(tx, stored).await?;
                    store::targets::insert(tx, targets).await?;
                    match asked {
                        Some(approval) => store::approvals::insert(tx, approval).await,
                        None => Ok(()),
                    }
                })
            })
            .await
            .map_err(flat);
        match inserted {
            Err(e) if is_unique_violation(&e) => {
                // The same request came twice at once, and the other was faster.
                let made = self.made_before(plan.key.as_deref(), &plan.request_digest).await?;
                return made.map(|m| (m, true)).ok_or(Error::Database(e));
            }
            other => other?,
        }
        self.told_of_run(ctx, &row, &plan, approval.as_ref()).await;
        match state {
            RunState::Starting => self.dispatch(row.id).await?,
            RunState::Waiting => self.schedule_start(&row).await?,
            _ => {}
        }
        let row = store::runs::get(&self.db, row.id).await?.unwrap_or(row);
        Ok((row, false))
    }

    fn build_run(&self, ctx: &Ctx, plan: &Plan, settings: &Settings, state: RunState) -> run::Model {
        let timeout_s = [plan.timeout_s, natural(plan.version.timeout_s), settings.default_timeout_s]
            .into_iter()
            .find(|s| *s > 0)
            .unwrap_or(settings.default_timeout_s);
        let small = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let targets = i64::try_from(plan.targets.len()).unwrap_or(i64::MAX);
        run::Model {
            id: Uuid::now_v7(),
            script_id: plan.script.id,
            version_id: plan.version.id,
            version_number: plan.version.number,
            script_name: plan.script.name.clone(),
            state: state.name().into(),
            check_only: plan.check,
            operation_id: None,
            actor: ctx.actor.clone(),
            actor_name: ctx.actor_name.clone(),
            principal: ctx.principal(),
            scope: ctx.scope.clone(),
            request_id: ctx.request_id.clone(),
            selector: plan.selector.clone(),
            parameters: json!(plan.values).to_string(),
            concurrency: small(plan.concurrency),
            timeout_s: small(timeout_s),
            queue_timeout_s: small(plan.queue_timeout_s),
            not_before: plan.window.not_before,
            not_after: plan.window.not_after,
            retry_of: plan.retry_of,
            schedule_id: plan.schedule_id,
            idempotency: plan.key.clone(),
            request_digest: plan.request_digest.clone(),
            targets,
            queued: targets,
            dispatched: 0,
            running: 0,
            succeeded: 0,
            failed: 0,
            timed_out: 0,
            no_answer: 0,
            never_dispatched: 0,
            cancelled: 0,
            reason: None,
            created_at: self.now(),
            started_at: None,
            finished_at: None,
        }
    }

    fn build_approval(
        &self,
        ctx: &Ctx,
        plan: &Plan,
        row: &run::Model,
        settings: &Settings,
    ) -> approval::Model {
        let ids: Vec<_> = plan.targets.iter().map(|t| t.id.to_string()).collect();
        let bound = bind(row, &plan.version, &plan.values, &ids);
        let lapses = self.now() + chrono::Duration::hours(settings.approval_hours.into());
        approval::Model {
            id: Uuid::now_v7(),
            run_id: row.id,
            script_id: row.script_id,
            state: "pending".into(),
            binding: bound.digest(),
            fingerprint: bound.fingerprint,
            values_digest: bound.values,
            targets_digest: bound.targets,
            requested_by: ctx.principal(),
            requested_by_name: ctx.actor_name.clone(),
            justification: plan.justification.clone(),
            created_at: self.now(),
            expires_at: row.not_after.map_or(lapses, |end| end.min(lapses)),
            decided_by: None,
            decided_by_name: None,
            decided_at: None,
            reason: None,
        }
    }

    async fn told_of_run(
        &self,
        ctx: &Ctx,
        row: &run::Model,
        plan: &Plan,
        approval: Option<&approval::Model>,
    ) {
        let after = json!({
            "script_id": row.script_id, "script_name": row.script_name, "version": row.version_number,
            "sha256": plan.version.sha256, "fingerprint": plan.version.fingerprint, "parameters": plan.values,
            "selector": row.selector, "targets": row.targets, "check": row.check_only, "state": row.state,
            "retry_of": row.retry_of, "schedule_id": row.schedule_id,
        });
        self.audit(ctx, "run.created", ("run", row.id.to_string()), Value::Null, after).await;
        self.publish(events::of_run(events::RUN_CREATED, row)).await;
        if let Some(approval) = approval {
            let after =
                json!({ "run_id": row.id, "binding": approval.binding, "expires_at": approval.expires_at });
            self.audit(
                ctx,
                "approval.requested",
                ("approval", approval.id.to_string()),
                Value::Null,
                after.clone(),
            )
            .await;
            self.publish(events::event(events::APPROVAL_REQUESTED, permissions::RUNS_APPROVE, after)).await;
        }
    }

    /// A run the actor may see.
    pub(super) async fn seen_run(&self, ctx: &Ctx, id: Uuid) -> Result<run::Model> {
        let found = store::runs::find(&self.db, &Viewer::of(ctx), id).await?;
        found.ok_or_else(|| Error::not_found("run", id))
    }

    pub(super) async fn show_run(&self, row: run::Model) -> Result<RunView> {
        let approval = store::approvals::of_run(&self.db, row.id).await?;
        Ok(RunView { approval_id: approval.map(|a| a.id), ..RunView::from(row) })
    }
}

/// What an approval of a run signs off, from the rows as they are.
pub(super) fn bind(
    row: &run::Model,
    version: &script_version::Model,
    values: &Values,
    machine_ids: &[String],
) -> Binding {
    Binding {
        run_id: row.id.to_string(),
        fingerprint: version.fingerprint.clone(),
        values: binding::of_values(values),
        targets: binding::of_targets(machine_ids.iter().map(String::as_str)),
        not_before: binding::seconds(row.not_before),
        not_after: binding::seconds(row.not_after),
        concurrency: natural(row.concurrency),
        timeout_s: natural(row.timeout_s),
    }
}

/// State of a stored run. Only names this engine wrote are stored.
pub(super) fn state_of(row: &run::Model) -> RunState {
    RunState::parse(&row.state).unwrap_or(RunState::Refused)
}

/// Values of a stored run.
pub(super) fn stored_values(row: &run::Model) -> Result<Values> {
    serde_json::from_str(&row.parameters)
        .map_err(|e| plugin_sdk::EngineError::new("bad_row", format!("The values of a run: {e}.")).into())
}

pub(super) fn key(ctx: &Ctx, key: Option<&str>) -> Result<Option<String>> {
    match key {
        None => Ok(None),
        Some(key)
            if key.is_empty()
                || key.len() > limits::IDEMPOTENCY_BYTES
                || key.chars().any(char::is_control) =>
        {
            let text = format!("expected 1 to {} printable characters", limits::IDEMPOTENCY_BYTES);
            Err(Error::invalid("idempotency_key", text))
        }
        Some(key) => Ok(Some(format!("{} {key}", ctx.principal()))),
    }
}

fn check_window(window: Window, now: DateTime<Utc>) -> Result<()> {
    let late = chrono::Duration::days(366);
    if window.not_after.is_some_and(|end| end <= window.not_before.unwrap_or(now) || end <= now) {
        return Err(Error::invalid("window", "not_after must be in the future and after not_before"));
    }
    if window.not_before.is_some_and(|start| start > now + late) {
        return Err(Error::invalid("window", "not_before is more than a year away"));
    }
    Ok(())
}

fn target_row(run_id: Uuid, target: &Target) -> run_target::Model {
    run_target::Model {
        id: Uuid::now_v7(),
        run_id,
        machine_id: target.id,
        machine_name: target.name.clone(),
        task_id: None,
        state: task_state_name(TaskState::Queued).into(),
        exit_code: None,
        signal: None,
        duration_ms: None,
        stdout_bytes: None,
        stderr_bytes: None,
        truncated: false,
        digest: None,
        error_code: None,
        error_message: None,
        dispatched_at: None,
        started_at: None,
        finished_at: None,
    }
}
