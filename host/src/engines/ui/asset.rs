//! One file of an engine's `ui/` folder.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::{
    app::App,
    ctx::Ctx,
    engines::{live::Live, service::Engines},
    http::Path,
    problem::Problem,
};

/// Pages may be kept for a year: another package has another address.
const FOR_EVER: &str = "private, max-age=31536000, immutable";
const ASK_AGAIN: &str = "private, no-cache";

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

/// The file and how long it keeps. Only names that the signed manifest lists are looked up: there is nothing to climb out of.
fn find<'a>(live: &Live, path: &'a str) -> Option<(&'a str, Bytes, &'static str)> {
    let (path, keeps) = match path.split_once('/') {
        Some((digest, rest)) if digest == live.package.digest().to_string() => (rest, FOR_EVER),
        _ => (path, ASK_AGAIN),
    };
    Some((path, live.package.file(&format!("ui/{path}"))?, keeps))
}

pub(in crate::engines) async fn asset(
    _ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let live = match Engines::clone(&app.engines).readable(&id) {
        Ok(live) => live,
        Err(problem) => return problem.into_response(),
    };
    let found = find(&live, &path)
        .and_then(|(path, content, keeps)| Some((content_type(path)?, path, content, keeps)));
    let Some((kind, path, content, keeps)) = found else {
        return Problem::not_found("file of this engine").into_response();
    };
    let tag = format!("\"{}-{}\"", live.package.digest(), path.len());
    let cached = headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let head = [
        (header::CONTENT_TYPE, kind),
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, keeps),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ];
    if cached {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, Body::from(content)).into_response()
}
