//! Results and output of runs.

use std::sync::Arc;

use axum::extract::State;
use plugin_sdk::{Ctx, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::query::{PageQuery, short, task_states};
use crate::{
    engine::Automation,
    service::{MachineOutput, OutputQuery, ResultQuery},
    store::targets::Filter,
    views::{GroupView, Page, ResultView},
};

/// Filters of results.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultsQuery {
    /// States, separated by commas.
    pub state: Option<String>,
    /// One machine.
    pub machine_id: Option<Uuid>,
    /// Group of identical output.
    pub digest: Option<String>,
    /// Items wanted, at most 200; 50 when absent.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<Uuid>,
}

/// Which part of the output.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PartQuery {
    /// Continue after this number; 0 from the start.
    #[serde(default)]
    pub after: u64,
    /// At most so many bytes, up to 1 MiB; 64 KiB when absent.
    pub limit_bytes: Option<u32>,
}

/// What became of a run on each machine, in the order of the targets.
#[utoipa::path(get, path = "/runs/{id}/results", params(("id" = Uuid, Path), ResultsQuery),
    responses((status = 200, body = Page<ResultView>)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn list_results(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Query(query): Query<ResultsQuery>,
) -> Result<Json<Page<ResultView>>, Problem> {
    let filter = Filter {
        states: task_states(query.state.as_deref())?,
        machine_ids: query.machine_id.into_iter().collect(),
        digest: short("digest", query.digest)?,
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.into();
    Ok(Json(engine.service.list_results(&ctx, id, &ResultQuery { filter, page }).await?))
}

/// Machines grouped by outcome and identical output, largest group first.
#[utoipa::path(get, path = "/runs/{id}/groups", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<GroupView>)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn group_results(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<GroupView>>, Problem> {
    Ok(Json(engine.service.group_results(&ctx, id).await?))
}

/// Output of a run on one machine, in pieces.
#[utoipa::path(get, path = "/runs/{id}/results/{machine_id}/output", params(("id" = Uuid, Path), ("machine_id" = Uuid, Path), PartQuery),
    responses((status = 200, body = MachineOutput)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn get_output(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Path((id, machine_id)): Path<(Uuid, Uuid)>,
    Query(part): Query<PartQuery>,
) -> Result<Json<MachineOutput>, Problem> {
    let query = OutputQuery { after: part.after, limit_bytes: part.limit_bytes };
    Ok(Json(engine.service.machine_output(&ctx, id, machine_id, query).await?))
}
