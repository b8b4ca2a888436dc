//! `/api/v1/operations` and `/api/v1/tasks`.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use plugin_api::services::operations::TaskState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{NewOperation, Operation, OperationFilter, Targets, Task, TaskOutput, state};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
};

type OperationPage = PageSchema<Operation>;
type TaskPage = PageSchema<Task>;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get))
        .routes(routes!(tasks))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(task))
        .routes(routes!(output))
}

/// A core command to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOperation {
    /// A core command, e.g. `core.ping` or `core.packages.install`; its family's permission is needed besides.
    /// Engines' commands go through the engine's own routes.
    command: String,
    /// Shown to people; a sentence made from the command when absent.
    #[serde(default)]
    title: String,
    /// Machines by id.
    #[serde(default)]
    machines: Vec<Uuid>,
    /// Machines by selector, when none are named.
    selector: Option<String>,
    /// For the command.
    #[serde(default = "empty")]
    #[schema(value_type = Object)]
    payload: Value,
    /// Seconds a task may run; 600 when absent.
    #[serde(default)]
    timeout_s: u32,
    /// Seconds a task waits for its machine; 3600 when absent.
    #[serde(default)]
    queue_timeout_s: u32,
    /// Tasks at the same time; no limit when absent.
    #[serde(default)]
    concurrency: u32,
}

fn empty() -> Value {
    json!({})
}

/// Run a core command on machines.
#[utoipa::path(post, path = "/api/v1/operations", tag = "operations", operation_id = "create_operation",
    extensions(("x-permission" = json!("operations:create"))),
    request_body = CreateOperation,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key never makes two operations.")),
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn create(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<CreateOperation>,
) -> Result<(StatusCode, Json<Operation>), Problem> {
    let targets = targets(body.machines, body.selector)?;
    let new = NewOperation {
        payload: body.payload,
        timeout_s: body.timeout_s,
        queue_timeout_s: body.queue_timeout_s,
        concurrency: body.concurrency,
        idempotency_key: key(&headers, &ctx)?,
        ..NewOperation::core(&body.command, body.title, targets)
    };
    let id = app.operations.create(&ctx, new).await?;
    created(&app, id).await
}

pub(super) fn targets(machines: Vec<Uuid>, selector: Option<String>) -> Result<Targets, Problem> {
    match selector {
        Some(_) if !machines.is_empty() => {
            Err(Problem::invalid("selector", "Give machines or a selector, not both."))
        }
        Some(selector) => Ok(Targets::Selector(selector)),
        None => Ok(Targets::Machines(machines)),
    }
}

/// The answer for who made an operation: they may see it even without `operations:read`.
pub(super) async fn created(app: &App, id: Uuid) -> Result<(StatusCode, Json<Operation>), Problem> {
    let operation = app.operations.get(&Ctx::system("created"), id).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

/// Keys of different actors never meet.
pub(super) fn key(headers: &HeaderMap, ctx: &Ctx) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= 100 => Ok(Some(format!("{}/{key}", ctx.actor))),
        _ => Err(Problem::invalid("Idempotency-Key", "An idempotency key is 1 to 100 ASCII characters.")),
    }
}

/// Which operations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of this engine.
    engine: Option<String>,
    /// With this command.
    command: Option<String>,
    /// With a task on this machine.
    machine: Option<Uuid>,
    /// Only finished, or only unfinished ones.
    finished: Option<bool>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// List operations, newest first.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations", operation_id = "list_operations",
    extensions(("x-permission" = json!("operations:read"))), params(ListQuery),
    responses((status = 200, body = OperationPage)))]
async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Operation>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let filter = OperationFilter {
        engine: query.engine,
        command: query.command,
        machine: query.machine,
        finished: query.finished,
    };
    Ok(Json(app.operations.list(&ctx, filter, page.after_id()?, page.limit()).await?))
}

/// One operation.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", operation_id = "get_operation",
    extensions(("x-permission" = json!("operations:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Operation), (status = 404, body = ProblemBody)))]
async fn get(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Operation>, Problem> {
    Ok(Json(app.operations.get(&ctx, id).await?))
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TasksQuery {
    /// States, with commas: `failed,timed_out`.
    state: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

fn states(text: &str) -> Result<Vec<TaskState>, Problem> {
    let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    parts
        .map(|p| {
            state::parse(p).ok_or_else(|| Problem::invalid("state", format!("There is no state `{p}`.")))
        })
        .collect()
}

/// Tasks of an operation.
#[utoipa::path(get, path = "/api/v1/operations/{id}/tasks", tag = "operations",
    operation_id = "list_operation_tasks", extensions(("x-permission" = json!("operations:read"))),
    params(("id" = Uuid, Path), TasksQuery),
    responses((status = 200, body = TaskPage), (status = 404, body = ProblemBody)))]
async fn tasks(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(query): Query<TasksQuery>,
) -> Result<Json<Page<Task>>, Problem> {
    let states = states(query.state.as_deref().unwrap_or_default())?;
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    Ok(Json(app.operations.tasks(&ctx, id, &states, page.after_id()?, page.limit()).await?))
}

/// One task.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "operations", operation_id = "get_task",
    extensions(("x-permission" = json!("operations:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Task), (status = 404, body = ProblemBody)))]
async fn task(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Result<Json<Task>, Problem> {
    Ok(Json(app.operations.task(&ctx, id).await?))
}

/// Which output.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OutputQuery {
    /// Continue after this chunk; 0 or absent from the start.
    #[serde(default)]
    after: u64,
    /// At most so many bytes.
    #[serde(default)]
    limit_bytes: u32,
}

/// Output of a task.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/output", tag = "operations", operation_id = "get_task_output",
    extensions(("x-permission" = json!("operations:read"))), params(("id" = Uuid, Path), OutputQuery),
    responses((status = 200, body = TaskOutput), (status = 404, body = ProblemBody)))]
async fn output(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(query): Query<OutputQuery>,
) -> Result<Json<TaskOutput>, Problem> {
    Ok(Json(app.operations.outputs(&ctx, id, query.after, query.limit_bytes).await?))
}

/// What to cancel.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelOperation {
    /// These tasks; all when absent.
    tasks: Option<Vec<Uuid>>,
}

/// How many tasks were open.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cancelled {
    /// Tasks that had not ended.
    open: usize,
}

/// Cancel an operation or some of its tasks.
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", tag = "operations",
    operation_id = "cancel_operation", extensions(("x-permission" = json!("operations:cancel"))),
    params(("id" = Uuid, Path)), request_body = CancelOperation,
    responses((status = 202, body = Cancelled), (status = 404, body = ProblemBody)))]
async fn cancel(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(body): Json<CancelOperation>,
) -> Result<(StatusCode, Json<Cancelled>), Problem> {
    let open = app.operations.cancel(&ctx, id, body.tasks).await?;
    Ok((StatusCode::ACCEPTED, Json(Cancelled { open })))
}

/// What to run again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOperation {
    /// These tasks.
    tasks: Vec<Uuid>,
    /// Those in these states; every final state but succeeded when both are absent.
    #[schema(value_type = Vec<String>)]
    states: Vec<TaskState>,
}

/// Run tasks again, as a new operation.
#[utoipa::path(post, path = "/api/v1/operations/{id}/retry", tag = "operations", operation_id = "retry_operation",
    extensions(("x-permission" = json!("operations:cancel"))), params(("id" = Uuid, Path)),
    request_body = RetryOperation,
    responses((status = 202, body = Operation), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
async fn retry(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Json(body): Json<RetryOperation>,
) -> Result<(StatusCode, Json<Operation>), Problem> {
    let key = key(&headers, &ctx)?;
    if let Some(engine) = app.operations.get(&ctx, id).await?.engine {
        let detail =
            format!("This operation belongs to the engine `{engine}`: retry it there, under its own rules.");
        return Err(Problem::new(StatusCode::CONFLICT, "owned_by_engine", detail).with("engine", engine));
    }
    let new = app.operations.retry(&ctx, id, &body.tasks, &body.states, key).await?;
    created(&app, new).await
}
