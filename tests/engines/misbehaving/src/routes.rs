//! Routes that fail.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue},
};
use futures_util::stream;
use plugin_sdk::{Json, OpenApiRouter, Path, Problem, payloads::events::Event, routes};
use serde_json::json;
use utoipa::openapi::{OpenApi, extensions::ExtensionsBuilder};

use crate::{engine::Misbehaving, faults, sql, variant::ID};

/// Every route.
pub fn router() -> OpenApiRouter<Arc<Misbehaving>> {
    OpenApiRouter::new()
        .routes(routes!(ok))
        .routes(routes!(panic_now))
        .routes(routes!(panic_stream))
        .routes(routes!(panic_drop))
        .routes(routes!(panic_task))
        .routes(routes!(hang))
        .routes(routes!(spin))
        .routes(routes!(abort))
        .routes(routes!(segfault))
        .routes(routes!(exit))
        .routes(routes!(overflow))
        .routes(routes!(leak))
        .routes(routes!(endless))
        .routes(routes!(huge))
        .routes(routes!(flood_logs))
        .routes(routes!(flood_events))
        .routes(routes!(odd_headers))
        .routes(routes!(sql::run_sql))
        .routes(routes!(sql::sql_attempts))
        .routes(routes!(sql::keep_transactions))
}

/// Put the variant's permission on every route.
pub fn set_permission(api: &mut OpenApi, permission: &str) {
    for item in api.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            let extensions = ExtensionsBuilder::new().add("x-permission", json!(permission)).build();
            operation.extensions = Some(extensions);
        }
    }
}

/// Answers.
#[utoipa::path(get, path = "/ok", responses((status = 200)))]
async fn ok() -> &'static str {
    "ok"
}

/// Panics in the handler.
#[utoipa::path(post, path = "/panic", responses((status = 200)))]
async fn panic_now() -> &'static str {
    panic!("a handler panics")
}

/// Panics in the second chunk of the body.
#[utoipa::path(post, path = "/panic/stream", responses((status = 200)))]
async fn panic_stream() -> Body {
    Body::from_stream(stream::unfold(0, |n| async move {
        assert_ne!(n, 1, "a body panics");
        Some((Ok::<_, Infallible>(Bytes::from_static(b"first")), n + 1))
    }))
}

/// Panics when the handler's values are dropped.
#[utoipa::path(post, path = "/panic/drop", responses((status = 200)))]
async fn panic_drop() -> &'static str {
    let _dropped = faults::PanicsOnDrop;
    // A cancelled request drops it too.
    tokio::time::sleep(Duration::from_millis(200)).await;
    "ok"
}

/// Panics in a task of the private runtime.
#[utoipa::path(post, path = "/panic/task", responses((status = 200)))]
async fn panic_task() -> String {
    let joined = tokio::spawn(async { panic!("a task panics") }).await;
    match joined {
        Ok(()) => "ended".into(),
        Err(e) => format!("panicked: {}", e.is_panic()),
    }
}

/// Never answers.
#[utoipa::path(post, path = "/hang", responses((status = 200)))]
async fn hang() -> &'static str {
    std::future::pending().await
}

/// Blocks its thread.
#[utoipa::path(post, path = "/spin/{seconds}", params(("seconds" = u64, Path)), responses((status = 200)))]
async fn spin(Path(seconds): Path<u64>) -> &'static str {
    faults::spin(Duration::from_secs(seconds));
    "ok"
}

/// Aborts the process.
#[utoipa::path(post, path = "/abort", responses((status = 200)))]
async fn abort() -> &'static str {
    std::process::abort()
}

/// Ends the process by a fault.
#[utoipa::path(post, path = "/segfault", responses((status = 200)))]
async fn segfault() -> &'static str {
    faults::segfault();
    "still here"
}

/// Exits the process.
#[utoipa::path(post, path = "/exit", responses((status = 200)))]
async fn exit() -> &'static str {
    std::process::exit(0)
}

/// Uses up the stack.
#[utoipa::path(post, path = "/overflow", responses((status = 200)))]
async fn overflow() -> String {
    faults::overflow(0).to_string()
}

/// Allocates and never frees.
#[utoipa::path(post, path = "/leak/{mib}", params(("mib" = usize, Path)), responses((status = 200)))]
async fn leak(Path(mib): Path<usize>) -> &'static str {
    faults::leak(mib);
    "ok"
}

/// A body without end.
#[utoipa::path(get, path = "/endless", responses((status = 200)))]
async fn endless() -> Body {
    let chunk = Bytes::from_static(&[b'x'; 16_384]);
    Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone())))
}

/// A body of so many MiB at once.
#[utoipa::path(get, path = "/huge/{mib}", params(("mib" = usize, Path)), responses((status = 200)))]
async fn huge(Path(mib): Path<usize>) -> Vec<u8> {
    vec![b'x'; mib << 20]
}

/// Logs that often.
#[utoipa::path(post, path = "/flood/logs/{n}", params(("n" = u64, Path)), responses((status = 200)))]
async fn flood_logs(Path(n): Path<u64>) -> &'static str {
    for number in 0..n {
        tracing::warn!(number, "flood of logs: {}", "x".repeat(100));
    }
    "ok"
}

/// Publishes that often.
#[utoipa::path(post, path = "/flood/events/{n}", params(("n" = u64, Path)), responses((status = 200)))]
async fn flood_events(
    State(engine): State<Arc<Misbehaving>>,
    Path(n): Path<u64>,
) -> Result<Json<u64>, Problem> {
    for number in 0..n {
        let event =
            Event { topic: format!("{ID}.flood"), data: json!({ "number": number }), ..Event::default() };
        engine.host.events().publish(&event).await?;
    }
    Ok(Json(n))
}

/// Header bytes that are not ASCII.
#[utoipa::path(get, path = "/headers", responses((status = 200)))]
async fn odd_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(&[b'a', 0xff, 0xfe, b'z']) {
        headers.insert("x-odd", value);
    }
    headers
}
