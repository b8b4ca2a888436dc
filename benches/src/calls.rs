//! One engine call against the same axum router called directly.

use anyhow::{Result, ensure};
use axum::{Router, body::Body as AxumBody, routing::get};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use plugin_api::CallContext;
use plugin_runtime::{Body, EngineInstance};
use tower::Service;

use crate::{
    engine,
    report::{Row, time, times},
    sampling::{Pair, alternate},
};

/// Measure both modes.
pub async fn measure() -> Result<Vec<Row>> {
    let package = engine::package()?;
    let in_process = engine::in_process(&package, engine::services(None)?).await?;
    let isolated = engine::isolated(&package, engine::services(None)?).await?;
    Ok(vec![
        row("engine call, in-process (p50 / p99)", "<= 1 µs more", &pair(&*in_process, 400, 250).await?),
        row("engine call, isolated (p50 / p99)", "<= 30 µs more", &pair(&*isolated, 200, 100).await?),
    ])
}

fn row(figure: &str, goal: &'static str, pair: &Pair) -> Row {
    let more = pair.overhead_ns();
    let sign = if more < 0.0 { "-" } else { "+" };
    let more = time(std::time::Duration::from_nanos(more.abs() as u64));
    Row {
        figure: figure.into(),
        against: pair.against.quantiles(),
        measured: pair.measured.quantiles(),
        ratio: format!("{sign}{more} ({})", times(pair.ratio(), 1.0)),
        goal,
    }
}

async fn pair(engine: &dyn EngineInstance, batches: usize, calls: usize) -> Result<Pair> {
    let mut router = router();
    let context = CallContext {
        actor: "user:00000000-0000-7000-8000-000000000000".into(),
        permissions: ["example:bench:run".to_owned()].into(),
        request_id: "bench".into(),
        ..CallContext::default()
    };
    let direct = async || {
        let response = router.call(Request::get("/ping").body(AxumBody::empty())?).await?;
        read(response.status(), response.into_body().collect().await?.to_bytes())
    };
    let through = async || {
        let response = engine.handle(Request::get("/ping").body(Body::empty())?, &context).await;
        read(response.status(), response.into_body().collect(1024).await?)
    };
    alternate(batches, calls, direct, through).await
}

fn read(status: StatusCode, body: bytes::Bytes) -> Result<()> {
    ensure!(status == StatusCode::OK && body == "pong", "answered {status}");
    Ok(())
}

/// A router as large as the example's, with the same handler.
fn router() -> Router {
    let other = || get(async || StatusCode::NOT_FOUND);
    ["/notes", "/notes/export", "/notes/{id}", "/greetings", "/echo", "/bench/sql/one", "/bench/sql/rows/{n}"]
        .into_iter()
        .fold(Router::new().route("/ping", get(async || "pong")), |router, path| router.route(path, other()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_direct_side_answers() {
        let request = Request::get("/ping").body(AxumBody::empty()).expect("a request");
        let response = router().call(request).await.expect("a router never fails");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        read(StatusCode::OK, body).expect("pong");
    }
}
