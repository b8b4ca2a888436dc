//! `/api/v1/searches`.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{NewSearch, Search, SearchChange};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
};

type SearchPage = PageSchema<Search>;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}

/// Which searches.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The one with this name.
    name: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most items, up to 500; 50 when absent.
    limit: Option<u64>,
}

/// List saved searches that are shared, and one's own, by name.
#[utoipa::path(get, path = "/api/v1/searches", tag = "searches", operation_id = "list_searches",
    extensions(("x-permission" = json!("searches:read"))), params(ListQuery),
    responses((status = 200, body = SearchPage)))]
async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Search>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    Ok(Json(app.searches.list(&ctx, query.name, page.after()?, page.limit()).await?))
}

/// A search to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSearch {
    /// 1 to 64 of a-z, 0-9, `-` and `_`.
    name: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// What it finds.
    selector: String,
    /// Whether everybody may use it.
    #[serde(default)]
    shared: bool,
}

/// Save a search.
#[utoipa::path(post, path = "/api/v1/searches", tag = "searches", operation_id = "create_search",
    extensions(("x-permission" = json!("searches:write"))), request_body = CreateSearch,
    responses((status = 201, body = Search), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
async fn create(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<CreateSearch>,
) -> Result<(StatusCode, Json<Search>), Problem> {
    let new = NewSearch {
        name: body.name,
        description: body.description,
        selector: body.selector,
        shared: body.shared,
    };
    Ok((StatusCode::CREATED, Json(app.searches.create(&ctx, new).await?)))
}

/// One saved search.
#[utoipa::path(get, path = "/api/v1/searches/{id}", tag = "searches", operation_id = "get_search",
    extensions(("x-permission" = json!("searches:read"))), params(("id" = Uuid, Path)),
    responses((status = 200, body = Search), (status = 404, body = ProblemBody)))]
async fn get(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Result<Json<Search>, Problem> {
    Ok(Json(app.searches.get(&ctx, id).await?))
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSearch {
    /// Name.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// What it finds.
    selector: Option<String>,
    /// Whether everybody may use it.
    shared: Option<bool>,
}

/// Change a saved search.
#[utoipa::path(patch, path = "/api/v1/searches/{id}", tag = "searches", operation_id = "update_search",
    extensions(("x-permission" = json!("searches:write"))), params(("id" = Uuid, Path)),
    request_body = UpdateSearch,
    responses((status = 200, body = Search), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
async fn update(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(body): Json<UpdateSearch>,
) -> Result<Json<Search>, Problem> {
    let change = SearchChange {
        name: body.name,
        description: body.description,
        selector: body.selector,
        shared: body.shared,
    };
    Ok(Json(app.searches.update(&ctx, id, change).await?))
}

/// Delete a saved search that nothing uses.
#[utoipa::path(delete, path = "/api/v1/searches/{id}", tag = "searches", operation_id = "delete_search",
    extensions(("x-permission" = json!("searches:write"))), params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
async fn delete(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    app.searches.delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
