//! `/tuf`: public metadata and documents; engines behind the gate of downloads; and bundles.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header};
use serde::Deserialize;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::Selection;
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Path, Query, Routes},
    problem::Problem,
    releases,
};

/// Routes that answer in a moment.
pub fn routes(routes: Routes) -> Routes {
    routes.on(Method::GET, "/tuf/metadata/{file}", Access::Public, metadata).on(
        Method::GET,
        "/tuf/targets/{file}",
        Access::Public,
        document,
    )
}

/// Routes that send for as long as the other side takes.
pub fn streams(routes: Routes) -> Routes {
    let engine = "/tuf/targets/engines/{engine}/{version}/{file}";
    routes.on(Method::GET, engine, Access::Download, package).on(
        Method::GET,
        "/api/v1/organisations/{org}/bundle",
        Access::Member(Permission::Download),
        bundle,
    )
}

async fn metadata(State(app): State<Arc<App>>, Path(file): Path<String>) -> Result<Response, Problem> {
    let row = app.tuf.metadata(&file).await?;
    // The timestamp is the one file whose content changes under its name.
    let cache = if row.role == "timestamp" { "no-cache" } else { "public, max-age=86400, immutable" };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, cache)];
    Ok((headers, row.content).into_response())
}

async fn document(State(app): State<Arc<App>>, Path(file): Path<String>) -> Result<Response, Problem> {
    let row = app.tuf.document(&file).await?;
    let cache = "public, max-age=86400, immutable";
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, cache)];
    Ok((headers, row.content).into_response())
}

/// A package by its name in a consistent snapshot: `<sha256>.<triple>.engine`.
async fn package(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, version, file)): Path<(String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = file.strip_suffix(".engine").and_then(|name| name.split_once('.'));
    let (sha256, target) = name.ok_or_else(Problem::not_found)?;
    let (organisation, download) =
        app.releases.download_target(&ctx, (&engine, &version, target), sha256).await?;
    releases::routes::answer(&app, &ctx, organisation, download, &method, &headers).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    engines: String,
    #[serde(default)]
    targets: String,
}

/// A bundle, made for this request.
async fn bundle(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let list = |text: &str| text.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect();
    let selection = Selection { engines: list(&wanted.engines), targets: list(&wanted.targets) };
    let slot = app.releases.slot(org)?;
    let file = crate::releases::unnamed_file(&app.data_dir).map_err(Problem::internal)?;
    let writer = file.try_clone().map_err(Problem::internal)?;
    app.tuf.bundle(&ctx, org, &selection, writer).await?;
    let length = file.metadata().map_err(Problem::internal)?.len();
    let mut file = tokio::fs::File::from_std(file);
    tokio::io::AsyncSeekExt::rewind(&mut file).await.map_err(Problem::internal)?;
    let stall = std::time::Duration::from_secs(app.config.downloads.stall_timeout_s);
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"sysmanage.bundle\"".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    let pieces = ReaderStream::with_capacity(file, releases::routes::PIECE);
    Ok((headers, releases::routes::body(pieces, slot, stall)).into_response())
}
