//! Problems, health, metrics, the admin socket and the stop.

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::host::{TestHost, send};

#[tokio::test]
async fn every_failure_is_a_problem() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.get("/nowhere", "").await.problem(404, "not_found");
    host.get("/api/v1/users/not-an-id", &admin).await.problem(404, "not_found");
    let wrong_method = host.call(Method::PUT, "/api/v1/users", &admin, json!({})).await;
    wrong_method.problem(405, "method_not_allowed");
    assert!(wrong_method.headers.contains_key("allow"));
    let post = |body: Vec<u8>, kind: &'static str| {
        let request = host.request(Method::POST, "/api/v1/users", &admin).header("content-type", kind);
        send(request.body(body))
    };
    post(b"{}".to_vec(), "text/plain").await.problem(415, "unsupported_media_type");
    post(b"{".to_vec(), "application/json").await.problem(400, "malformed_json");
    post(b"{\"name\": 7}".to_vec(), "application/json").await.problem(422, "invalid");
    post(b"{\"name\": \"\xff\"}".to_vec(), "application/json").await.problem(400, "malformed_json");
    post(vec![b' '; 3 * 1024 * 1024], "application/json").await.problem(413, "body_too_large");
}

#[tokio::test]
async fn health_is_public_and_metrics_are_local() {
    let host = TestHost::start().await;
    assert_eq!(host.get("/healthz", "").await.body["status"], "ok");
    assert_eq!(host.get("/readyz", "").await.body["status"], "ready");
    let metrics = host.get("/metrics", "").await;
    assert!(metrics.body.as_str().unwrap().contains("http_requests_total"));
    let document = host.get("/api/openapi.json", "").await.body;
    assert_eq!(document["info"]["title"], "SysManage");
}

#[tokio::test]
async fn the_clients_request_id_is_kept_when_it_is_harmless() {
    let host = TestHost::start().await;
    let with = |id: &'static str| send(host.request(Method::GET, "/healthz", "").header("x-request-id", id));
    assert_eq!(with("client-given-42").await.headers["x-request-id"], "client-given-42");
    assert_ne!(with("bad id {}").await.headers["x-request-id"], "bad id {}");
}

#[tokio::test]
async fn the_operator_on_the_host_needs_no_password() {
    let host = TestHost::start().await;
    let mut socket = UnixStream::connect(&host.host.admin).await.unwrap();
    let request = b"GET /api/v1/me HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("local:root"));
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&host.host.admin).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_stop_ends_streams_and_frees_everything() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let mut stream = host.request(Method::GET, "/api/v1/events", &admin).send().await.unwrap();
    let TestHost { host, folder, .. } = host;
    let config = host.app.config.clone();
    host.stop().await;
    while stream.chunk().await.is_ok_and(|c| c.is_some()) {}
    let again = TestHost::over(folder, config).await;
    assert!(again.host.setup_link.is_none());
    assert_eq!(again.get("/api/v1/me", &admin).await.status, 200);
}

#[tokio::test]
async fn two_hosts_cannot_share_a_data_directory() {
    let host = TestHost::start().await;
    let second = sysmanage::serve::Host::start(host.host.app.config.clone(), host.clock.clone()).await;
    let error = second.err().unwrap().to_string();
    assert!(error.contains("already runs"), "{error}");
}
