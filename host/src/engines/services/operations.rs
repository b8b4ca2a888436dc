//! Service `operations`: an engine's own commands on machines.

use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::operations::{
        CancelRequest, NewOperation, Operation, OperationId, Output, OutputChunk, OutputRequest,
        RetryRequest, Task, TasksRequest,
    },
};

use super::{Host, from_slice, nothing, uuid};
use crate::{
    app::App,
    ctx::Ctx,
    operations::{self, Targets},
};

const PAGE: u64 = 1_000;

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    let app = host.app()?;
    match method {
        "create" => encode(&create(host, &app, decode(payload)?).await?),
        "get" => {
            let id: OperationId = decode(payload)?;
            encode(&shown(own(host, &app, &id.id).await?))
        }
        "tasks" => encode(&tasks(host, &app, decode(payload)?).await?),
        "output" => encode(&output(host, &app, decode(payload)?).await?),
        "cancel" => cancel(host, &app, decode(payload)?).await,
        "retry" => encode(&retry(host, &app, decode(payload)?).await?),
        other => Err(EngineError::unknown("operations method", other)),
    }
}

/// An operation of this engine; others do not exist for it.
async fn own(host: &Host, app: &App, id: &str) -> Result<operations::Operation, EngineError> {
    let operation = app.operations.get(&Ctx::system("engine"), uuid(id)?).await.map_err(from_slice)?;
    if operation.engine.as_deref() == Some(host.id()) {
        return Ok(operation);
    }
    Err(EngineError::new("not_found", "There is no such operation of this engine."))
}

async fn create(host: &Host, app: &App, new: NewOperation) -> Result<OperationId, EngineError> {
    let Some(spec) = host.manifest.commands.iter().find(|c| c.name == new.command) else {
        let why = format!("The manifest has no command `{}`.", new.command);
        return Err(EngineError::new("unknown_command", why));
    };
    if !app.engines.may_write(host.id()) {
        return Err(EngineError::new(
            "license_required",
            "The licence does not let this engine run commands.",
        ));
    }
    let (ctx, scope) = host.entry.contexts.resolve(host.id(), &new.context);
    let machines = new.machines.iter().map(|m| uuid(m)).collect::<Result<_, _>>()?;
    let operation = operations::NewOperation {
        command: host.manifest.qualified_command(&new.command),
        title: new.title,
        engine: Some((host.id().to_owned(), host.manifest.version.to_string())),
        targets: Targets::Machines(machines),
        scope: Some(scope),
        payload: new.payload,
        secrets: new.secrets,
        timeout_s: if new.timeout_s == 0 { spec.timeout_s } else { new.timeout_s },
        queue_timeout_s: new.queue_timeout_s,
        concurrency: new.concurrency,
        // Keys of engines live apart from those of others.
        idempotency_key: new.idempotency_key.map(|k| format!("{}:{k}", host.id())),
    };
    let id = app.operations.create(&ctx, operation).await.map_err(from_slice)?;
    Ok(OperationId { id: id.to_string() })
}

fn shown(o: operations::Operation) -> Operation {
    Operation {
        id: o.id.to_string(),
        title: o.title,
        finished: o.finished_at.is_some(),
        counts: o.counts,
        created_at: Some(o.created_at),
        finished_at: o.finished_at,
    }
}

/// A task as engines see it.
pub(crate) fn task(t: operations::Task) -> Task {
    Task {
        id: t.id.to_string(),
        operation_id: t.operation_id.to_string(),
        machine_id: t.machine_id.to_string(),
        machine_name: t.machine_name,
        state: t.state,
        result: t.result.unwrap_or_default(),
        error: t.error.map(|e| EngineError { code: e.code, message: e.message }),
        dispatched_at: t.dispatched_at,
        started_at: t.started_at,
        finished_at: t.finished_at,
        retry_of: t.retry_of.map(|id| id.to_string()),
    }
}

async fn tasks(host: &Host, app: &App, r: TasksRequest) -> Result<Vec<Task>, EngineError> {
    let operation = own(host, app, &r.operation_id).await?;
    let after = r.after.as_deref().map(uuid).transpose()?;
    let limit = if r.limit == 0 { PAGE } else { PAGE.min(r.limit.into()) };
    let ctx = Ctx::system("engine");
    let page = app.operations.tasks(&ctx, operation.id, &[], after, limit).await.map_err(from_slice)?;
    Ok(page.items.into_iter().map(task).collect())
}

async fn output(host: &Host, app: &App, r: OutputRequest) -> Result<Output, EngineError> {
    let (ctx, id) = (Ctx::system("engine"), uuid(&r.task_id)?);
    let row = app.operations.task(&ctx, id).await.map_err(from_slice)?;
    own(host, app, &row.operation_id.to_string()).await?;
    let out = app.operations.outputs(&ctx, id, r.after, r.limit_bytes).await.map_err(from_slice)?;
    let chunk = |c: operations::OutputChunk| OutputChunk {
        seq: c.seq.try_into().unwrap_or(0),
        stream: c.stream,
        data_base64: c.data_base64,
    };
    Ok(Output {
        chunks: out.chunks.into_iter().map(chunk).collect(),
        complete: out.complete,
        truncated: out.truncated,
    })
}

/// Cancelling and retrying one's own operations is the engine's to decide; its routes asked for the permission.
fn acting(host: &Host, context: &plugin_api::CallContext) -> Ctx {
    let (mut ctx, scope) = host.entry.contexts.resolve(host.id(), context);
    let permissions = crate::permissions::PermissionSet::new(["operations:read", "operations:cancel"]);
    ctx.grants = vec![crate::permissions::Grant { permissions, scope }].into();
    ctx
}

async fn cancel(host: &Host, app: &App, r: CancelRequest) -> Result<Vec<u8>, EngineError> {
    let operation = own(host, app, &r.operation_id).await?;
    let tasks: Vec<_> = r.tasks.iter().map(|t| uuid(t)).collect::<Result<_, _>>()?;
    let tasks = (!tasks.is_empty()).then_some(tasks);
    app.operations.cancel(&acting(host, &r.context), operation.id, tasks).await.map_err(from_slice)?;
    nothing()
}

async fn retry(host: &Host, app: &App, r: RetryRequest) -> Result<OperationId, EngineError> {
    let operation = own(host, app, &r.operation_id).await?;
    if !app.engines.may_write(host.id()) {
        return Err(EngineError::new(
            "license_required",
            "The licence does not let this engine run commands.",
        ));
    }
    let tasks: Vec<_> = r.tasks.iter().map(|t| uuid(t)).collect::<Result<_, _>>()?;
    let ctx = acting(host, &r.context);
    let id = app.operations.retry(&ctx, operation.id, &tasks, &r.states, None).await.map_err(from_slice)?;
    Ok(OperationId { id: id.to_string() })
}
