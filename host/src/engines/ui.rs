//! `/engines/{id}/ui/*`: the console pages of an engine, only while its licence lets one read.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};

use super::service::Engines;
use crate::{app::App, ctx::Ctx, http::Path, problem::Problem};

/// Kinds of file that a console page may hold. Everything else is refused: a browser must not guess.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "html" => "text/html; charset=utf-8",
        _ => return None,
    })
}

pub(super) async fn asset(
    _ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let engines = Engines::clone(&app.engines);
    let missing = || Problem::not_found("file of this engine").into_response();
    let Some(live) = engines.serving(&id) else { return missing() };
    let Some(kind) = content_type(&path) else { return missing() };
    let Some(content) = live.package.file(&format!("ui/{path}")) else { return missing() };
    let tag = format!("\"{}-{}\"", live.package.digest(), path.len());
    let cached = headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let head = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "private, no-cache".into()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox".into()),
    ];
    if cached {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, Body::from(content)).into_response()
}
