//! Downloads, and the vendor's releases.

mod range;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use self::range::Range;
use super::{
    Channel, Downloaded, Release, Screenshot, Wanted,
    download::{Download, Opened, Slot},
    picture,
};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Items, Json, Path, Query, Routes},
    problem::Problem,
};

/// Bytes read at a time.
pub(crate) const PIECE: usize = 64 * 1024;

/// Routes that answer in a moment.
pub fn routes(routes: Routes) -> Routes {
    let version = "/api/v1/vendor/releases/{engine}/{version}";
    routes
        .on(Method::GET, "/api/v1/vendor/releases", Access::Staff, list_all)
        .on(Method::PATCH, version, Access::Staff, set_channel)
        .takes::<Move>()
        .on(Method::GET, "/api/v1/vendor/downloads", Access::Staff, downloaded)
        .lists::<Downloaded>()
        .on(Method::POST, "/api/v1/vendor/engines/{engine}/screenshots", Access::Staff, add_screenshot)
        .answers::<Screenshot>()
        .on(
            Method::DELETE,
            "/api/v1/vendor/engines/{engine}/screenshots/{sha256}",
            Access::Staff,
            remove_screenshot,
        )
        .on(Method::GET, "/api/v1/engines/{engine}/screenshots", Access::Public, screenshots)
        .lists::<Screenshot>()
        .on(Method::GET, "/images/{sha256}", Access::Public, image)
        .on(Method::POST, "/api/v1/vendor/releases/{engine}/{version}/yank", Access::Staff, yank)
        .takes::<Why>()
        .on(Method::POST, "/api/v1/vendor/releases/{engine}/{version}/unyank", Access::Staff, unyank)
}

/// Routes that send for as long as the other side takes.
pub fn streams(routes: Routes) -> Routes {
    let path = "/api/v1/organisations/{org}/engines/{engine}/{version}/{target}";
    routes.on(Method::GET, path, Access::Member(Permission::Download), download)
}

#[derive(Deserialize)]
struct Which {
    license: Option<String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    channel: Channel,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

#[derive(Deserialize)]
struct Captioned {
    #[serde(default)]
    caption: String,
}

async fn downloaded(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Items<Downloaded>>, Problem> {
    Ok(Json(Items { items: app.releases.downloaded(&ctx).await? }))
}

async fn screenshots(
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
) -> Result<Json<Items<Screenshot>>, Problem> {
    Ok(Json(Items { items: app.releases.screenshots(&engine).await? }))
}

/// The body is the picture itself, PNG or WebP.
async fn add_screenshot(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
    Query(of): Query<Captioned>,
    body: Body,
) -> Result<(StatusCode, Json<Screenshot>), Problem> {
    let bytes = axum::body::to_bytes(body, picture::MAX_BYTES).await.map_err(|_| {
        let detail = format!("A picture has at most {} KiB.", picture::MAX_BYTES / 1024);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    })?;
    let added = app.releases.add_screenshot(&ctx, &engine, &of.caption, bytes.to_vec()).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

async fn remove_screenshot(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, sha256)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    app.releases.remove_screenshot(&ctx, &engine, &sha256).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A picture of an engine. What a digest names never changes.
async fn image(
    State(app): State<Arc<App>>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let etag = format!("\"{sha256}\"");
    let (kind, bytes) = app.releases.image(&sha256).await?;
    let common = [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, etag.clone()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, [(header::CONTENT_TYPE, kind)], bytes).into_response())
}

async fn list_all(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Items<Release>>, Problem> {
    Ok(Json(Items { items: app.releases.list_all(&ctx).await? }))
}

async fn set_channel(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, version)): Path<(String, semver::Version)>,
    Json(to): Json<Move>,
) -> Result<StatusCode, Problem> {
    app.releases.set_channel(&ctx, &engine, &version, to.channel).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn yank(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, version)): Path<(String, semver::Version)>,
    Json(why): Json<Why>,
) -> Result<StatusCode, Problem> {
    app.releases.yank(&ctx, &engine, &version, &why.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unyank(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, version)): Path<(String, semver::Version)>,
) -> Result<StatusCode, Problem> {
    app.releases.unyank(&ctx, &engine, &version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A package. Parts by `Range`; `If-Range` and `If-None-Match` by the entity tag, which is the digest.
async fn download(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, engine, version, target)): Path<(Uuid, String, String, String)>,
    Query(which): Query<Which>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = Wanted { engine, version, target, license: which.license };
    let download = app.releases.download(&ctx, org, &wanted).await?;
    answer(&app, &ctx, org, download, &method, &headers).await
}

/// The answer that sends a package, whole or in part.
pub(crate) async fn answer(
    app: &App,
    ctx: &Ctx,
    org: Uuid,
    download: Download,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let etag = format!("\"{}\"", download.sha256);
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let same =
        |tags: &str| tags.split(',').any(|t| t.trim().trim_start_matches("W/") == etag || t.trim() == "*");
    if text(header::IF_NONE_MATCH).is_some_and(same) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    // A part of something else than the client has begun with would be of no use to it.
    let asked = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|tag| tag == etag));
    let size = download.size;
    let (status, first, length) = match range::parse(asked, size) {
        Range::Whole => (StatusCode::OK, 0, size),
        Range::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Range::Unsatisfiable => {
            let all = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            let detail = format!("The file has {size} bytes; nothing of this range is in it.");
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail);
            return Ok((all, problem.json("")).into_response());
        }
    };
    let common = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", download.name)),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::ETAG, etag),
    ];
    let mut response = (status, common).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{size}", first + length - 1);
        let value = range.parse().map_err(Problem::internal)?;
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    if *method == Method::HEAD {
        return Ok(response);
    }
    if first == 0 {
        app.releases.record(ctx, org, &download.name).await?;
        app.releases.count(&download.wanted).await?;
    }
    let stall = Duration::from_secs(app.config.downloads.stall_timeout_s);
    *response.body_mut() = send(download, first, length, stall).await?;
    Ok(response)
}

/// The bytes, read as the client takes them. One that takes none for `stall` loses its slot.
async fn send(download: Download, first: u64, length: u64, stall: Duration) -> Result<Body, Problem> {
    let Opened { file, slot } = download.open(first).await?;
    Ok(body(ReaderStream::with_capacity(file.take(length), PIECE), slot, stall))
}

/// Pieces as a body that holds its slot.
pub(crate) fn body<P>(pieces: P, slot: Slot, stall: Duration) -> Body
where
    P: tokio_stream::Stream<Item = std::io::Result<axum::body::Bytes>> + Send + 'static,
{
    let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<axum::body::Bytes>>(2);
    tokio::spawn(async move {
        let _slot = slot;
        let mut pieces = std::pin::pin!(pieces);
        while let Some(piece) = pieces.next().await {
            let failed = piece.is_err();
            let sent = tokio::time::timeout(stall, sender.send(piece)).await;
            if failed || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(receiver))
}
