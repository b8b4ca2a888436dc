//! One route per core command, so that each has its parameters and its permission in the OpenAPI document.

use std::{borrow::Cow, marker::PhantomData, sync::Arc};

use agent_protocol::core_command::{Install, Power, Refresh, Remove, Services, Upgrade};
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{
    __dev::ComposeSchema,
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    NewOperation, Operation,
    routes::{created, key, targets},
};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Path},
    problem::{Problem, ProblemBody},
};

type RunInstall = RunSchema<Install>;
type RunPower = RunSchema<Power>;
type RunRefresh = RunSchema<Refresh>;
type RunRemove = RunSchema<Remove>;
type RunServices = RunSchema<Services>;
type RunUpgrade = RunSchema<Upgrade>;

/// Routes of core commands.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(install))
        .routes(routes!(remove))
        .routes(routes!(upgrade))
        .routes(routes!(refresh))
        .routes(routes!(service))
        .routes(routes!(reboot))
        .routes(routes!(shutdown))
}

/// A core command to run on machines.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Run<P> {
    /// Machines by id.
    #[serde(default)]
    machines: Vec<Uuid>,
    /// Machines by selector, when none are named.
    selector: Option<String>,
    /// Shown to people; a sentence made from the command when absent.
    #[serde(default)]
    title: String,
    /// For the command.
    parameters: P,
    /// Seconds a task may run; what the command usually needs when absent.
    #[serde(default)]
    timeout_s: u32,
    /// Seconds a task waits for its machine; 3600 when absent.
    #[serde(default)]
    queue_timeout_s: u32,
    /// Tasks at the same time; no limit when absent.
    #[serde(default)]
    concurrency: u32,
}

/// A command in the document, named `Run_<parameters>`: see [`crate::http::PageSchema`].
struct RunSchema<P>(PhantomData<P>);

impl<P: ToSchema> PartialSchema for RunSchema<P> {
    fn schema() -> RefOr<Schema> {
        Run::<P>::compose(vec![P::schema()])
    }
}

impl<P: ToSchema> ToSchema for RunSchema<P> {
    fn name() -> Cow<'static, str> {
        format!("Run_{}", P::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((P::name().into_owned(), P::schema()));
        Run::<P>::schemas(schemas);
    }
}

type Made = Result<(StatusCode, Json<Operation>), Problem>;

async fn run<P: Serialize>(app: &App, ctx: &Ctx, headers: &HeaderMap, command: &str, body: Run<P>) -> Made {
    let new = NewOperation {
        payload: json!(body.parameters),
        timeout_s: body.timeout_s,
        queue_timeout_s: body.queue_timeout_s,
        concurrency: body.concurrency,
        idempotency_key: key(headers, ctx)?,
        ..NewOperation::core(command, body.title, targets(body.machines, body.selector)?)
    };
    let id = app.operations.create(ctx, new).await?;
    created(app, id).await
}

/// Install packages.
#[utoipa::path(post, path = "/api/v1/operations/packages/install", tag = "operations",
    operation_id = "install_packages", extensions(("x-permission" = json!("packages:manage"))),
    request_body = RunInstall,
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn install(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<Run<Install>>,
) -> Made {
    run(&app, &ctx, &headers, "core.packages.install", body).await
}

/// Remove packages.
#[utoipa::path(post, path = "/api/v1/operations/packages/remove", tag = "operations",
    operation_id = "remove_packages", extensions(("x-permission" = json!("packages:manage"))),
    request_body = RunRemove,
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn remove(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<Run<Remove>>,
) -> Made {
    run(&app, &ctx, &headers, "core.packages.remove", body).await
}

/// Upgrade packages: some, all, or for security only.
#[utoipa::path(post, path = "/api/v1/operations/packages/upgrade", tag = "operations",
    operation_id = "upgrade_packages", extensions(("x-permission" = json!("packages:manage"))),
    request_body = RunUpgrade,
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn upgrade(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<Run<Upgrade>>,
) -> Made {
    run(&app, &ctx, &headers, "core.packages.upgrade", body).await
}

/// Fetch package lists anew.
#[utoipa::path(post, path = "/api/v1/operations/packages/refresh", tag = "operations",
    operation_id = "refresh_packages", extensions(("x-permission" = json!("packages:manage"))),
    request_body = RunRefresh,
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn refresh(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<Run<Refresh>>,
) -> Made {
    run(&app, &ctx, &headers, "core.packages.refresh", body).await
}

/// Start, stop, restart, reload, enable or disable services.
#[utoipa::path(post, path = "/api/v1/operations/services/{verb}", tag = "operations",
    operation_id = "change_services", extensions(("x-permission" = json!("services:manage"))),
    params(("verb" = String, Path, description = "start, stop, restart, reload, enable or disable")),
    request_body = RunServices,
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn service(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(verb): Path<String>,
    Json(body): Json<Run<Services>>,
) -> Made {
    run(&app, &ctx, &headers, &format!("core.services.{verb}"), body).await
}

/// Restart machines. A task succeeds when its machine is back.
#[utoipa::path(post, path = "/api/v1/operations/power/reboot", tag = "operations",
    operation_id = "reboot_machines", extensions(("x-permission" = json!("machines:power"))),
    request_body = RunPower,
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn reboot(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<Run<Power>>,
) -> Made {
    run(&app, &ctx, &headers, "core.power.reboot", body).await
}

/// Shut machines down. A task succeeds just before its machine goes.
#[utoipa::path(post, path = "/api/v1/operations/power/shutdown", tag = "operations",
    operation_id = "shut_down_machines", extensions(("x-permission" = json!("machines:power"))),
    request_body = RunPower,
    responses((status = 202, body = Operation), (status = 422, body = ProblemBody)))]
async fn shutdown(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<Run<Power>>,
) -> Made {
    run(&app, &ctx, &headers, "core.power.shutdown", body).await
}
