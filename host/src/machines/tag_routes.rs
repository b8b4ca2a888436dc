//! `/api/v1/tags`, and the tags of machines.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{BulkTags, MachineTag, Tag, TagChange};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Path},
    problem::{Problem, ProblemBody},
};

/// Routes of tags.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(change, delete))
        .routes(routes!(rename))
        .routes(routes!(of_machine))
        .routes(routes!(bulk))
}

/// List tags with how many machines have them.
#[utoipa::path(get, path = "/api/v1/tags", tag = "tags", operation_id = "list_tags",
    extensions(("x-permission" = json!("tags:read"))), responses((status = 200, body = Vec<Tag>)))]
async fn list(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Vec<Tag>>, Problem> {
    Ok(Json(app.machines.list_tags(&ctx).await?))
}

/// What to change of a tag; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTag {
    /// `#rrggbb`, or empty.
    colour: Option<String>,
    /// What it means.
    description: Option<String>,
    /// The rule: machines that it selects have the tag, and no others. An empty one ends it.
    selector: Option<String>,
}

/// Describe a tag, or make it automatic.
#[utoipa::path(patch, path = "/api/v1/tags/{name}", tag = "tags", operation_id = "change_tag",
    extensions(("x-permission" = json!("tags:manage"))), params(("name" = String, Path)), request_body = ChangeTag,
    responses((status = 200, body = Tag), (status = 422, body = ProblemBody)))]
async fn change(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Json(body): Json<ChangeTag>,
) -> Result<Json<Tag>, Problem> {
    let change = TagChange { colour: body.colour, description: body.description, selector: body.selector };
    Ok(Json(app.machines.change_tag(&ctx, &name, change).await?))
}

/// Delete a tag, from every machine too.
#[utoipa::path(delete, path = "/api/v1/tags/{name}", tag = "tags", operation_id = "delete_tag",
    extensions(("x-permission" = json!("tags:manage"))), params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
async fn delete(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.machines.delete_tag(&ctx, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A tag's new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameTag {
    /// The new name.
    name: String,
}

/// Rename a tag.
#[utoipa::path(post, path = "/api/v1/tags/{name}/rename", tag = "tags", operation_id = "rename_tag",
    extensions(("x-permission" = json!("tags:manage"))), params(("name" = String, Path)), request_body = RenameTag,
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
async fn rename(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Json(body): Json<RenameTag>,
) -> Result<StatusCode, Problem> {
    app.machines.rename_tag(&ctx, &name, &body.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tags of a machine, each with the rule that set it.
#[utoipa::path(get, path = "/api/v1/machines/{id}/tags", tag = "tags", operation_id = "list_machine_tags",
    extensions(("x-permission" = json!("machines:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<MachineTag>), (status = 404, body = ProblemBody)))]
async fn of_machine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<MachineTag>>, Problem> {
    Ok(Json(app.machines.tags(&ctx, id).await?))
}

/// Tags to put on machines and to take off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagMachines {
    /// The machines.
    selector: String,
    /// Tags to put on.
    #[serde(default)]
    add: Vec<String>,
    /// Tags to take off.
    #[serde(default)]
    remove: Vec<String>,
}

/// How many machines changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tagged {
    /// Machines that have other tags now.
    machines: u64,
}

/// Put tags on the machines that a selector selects, and take others off.
#[utoipa::path(post, path = "/api/v1/machines/-/tags", tag = "tags", operation_id = "tag_machines",
    extensions(("x-permission" = json!("machines:update"))), request_body = TagMachines,
    responses((status = 200, body = Tagged), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
async fn bulk(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<TagMachines>,
) -> Result<Json<Tagged>, Problem> {
    let bulk = BulkTags { selector: body.selector, add: body.add, remove: body.remove };
    Ok(Json(Tagged { machines: app.machines.tag_machines(&ctx, bulk).await? }))
}
