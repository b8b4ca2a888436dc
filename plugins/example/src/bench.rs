//! Routes that exist to be measured against the host's own.

use std::sync::Arc;

use axum::{body::Body, extract::State};
use plugin_sdk::{Ctx, Json, OpenApiRouter, Path, Problem, routes};
use sea_orm::{PaginatorTrait, QueryOrder, QuerySelect, TransactionSession, TransactionTrait, prelude::*};

use crate::{
    engine::Example,
    entities::note::{ActiveModel, Column, Entity, Model},
    permissions::BENCH,
};

/// Every route of this file.
pub fn router() -> OpenApiRouter<Arc<Example>> {
    OpenApiRouter::new()
        .routes(routes!(ping))
        .routes(routes!(echo))
        .routes(routes!(sql_one))
        .routes(routes!(sql_rows))
        .routes(routes!(sql_insert))
}

/// Answer a constant.
#[utoipa::path(get, path = "/ping", responses((status = 200)),
    extensions(("x-permission" = json!("example:bench:run")),
        ("x-unchecked" = json!("Only the host asks for the permission: what is measured is the way here."))))]
async fn ping() -> &'static str {
    "pong"
}

/// Stream the body back.
#[utoipa::path(post, path = "/echo", responses((status = 200)),
    extensions(("x-permission" = json!("example:bench:run"))))]
async fn echo(ctx: Ctx, body: Body) -> Result<Body, Problem> {
    ctx.require(BENCH)?;
    Ok(body)
}

/// One small query.
#[utoipa::path(get, path = "/bench/sql/one", responses((status = 200)),
    extensions(("x-permission" = json!("example:bench:run"))))]
async fn sql_one(State(engine): State<Arc<Example>>, ctx: Ctx) -> Result<Json<u64>, Problem> {
    ctx.require(BENCH)?;
    Ok(Json(Entity::find().count(&engine.host.db()).await?))
}

/// Read up to `n` rows as entities; answers how many.
#[utoipa::path(get, path = "/bench/sql/rows/{n}", params(("n" = u64, Path)), responses((status = 200)),
    extensions(("x-permission" = json!("example:bench:run"))))]
async fn sql_rows(
    State(engine): State<Arc<Example>>,
    ctx: Ctx,
    Path(n): Path<u64>,
) -> Result<Json<usize>, Problem> {
    ctx.require(BENCH)?;
    let rows = Entity::find().order_by_asc(Column::Id).limit(n.min(10_000)).all(&engine.host.db()).await?;
    Ok(Json(rows.len()))
}

/// Insert and delete `n` rows in one transaction.
#[utoipa::path(post, path = "/bench/sql/insert/{n}", params(("n" = u64, Path)), responses((status = 200)),
    extensions(("x-permission" = json!("example:bench:run"))))]
async fn sql_insert(
    State(engine): State<Arc<Example>>,
    ctx: Ctx,
    Path(n): Path<u64>,
) -> Result<Json<u64>, Problem> {
    ctx.require(BENCH)?;
    let tx = engine.host.db().begin().await?;
    let mut ids = Vec::new();
    for _ in 0..n.min(10_000) {
        let mut note = Model::new(String::new(), "measured".into());
        note.title = format!("bench {}", note.id);
        ids.push(note.id);
        Entity::insert(ActiveModel::from(note).reset_all()).exec_without_returning(&tx).await?;
    }
    for chunk in ids.chunks(500) {
        Entity::delete_many().filter(Column::Id.is_in(chunk.iter().copied())).exec(&tx).await?;
    }
    tx.commit().await?;
    Ok(Json(n.min(10_000)))
}
