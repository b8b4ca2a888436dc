//! The licence slice without a licence: what is refused, and what holds by default.

use chrono::Duration;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;
use sysmanage::{audit::Change, config::Config, ctx::Ctx};

use crate::host::{TestHost, send};

#[tokio::test]
async fn a_host_without_a_licence_says_so_and_names_its_instance() {
    let host = TestHost::start().await;
    let token = host.admin().await;
    let shown = host.get("/api/v1/license", &token).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert_eq!(shown.body["licenses"], json!([]));
    assert!(!shown.body["instance"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_with_its_reason() {
    let host = TestHost::start().await;
    let token = host.admin().await;
    let answer = send(host.request(Method::PUT, "/api/v1/license", &token).body("not.a.token")).await;
    answer.problem(422, "license_refused");
    assert!(answer.body["reason"].is_string());
    let answer = send(host.request(Method::PUT, "/api/v1/revocations", &token).body("{}")).await;
    answer.problem(422, "document_refused");
}

#[tokio::test]
async fn the_licence_can_be_explained_for_another_day() {
    let host = TestHost::start().await;
    let token = host.admin().await;
    let later = host.get("/api/v1/license/explain?at=2031-01-01T00:00:00Z", &token).await;
    assert_eq!(later.status, 200, "{}", later.body);
    assert!(later.body["at"].as_str().unwrap().starts_with("2031-01-01"));
    host.get("/api/v1/license/explain?at=tomorrow", &token).await.problem(400, "bad_query");
}

#[tokio::test]
async fn a_third_partys_root_is_kept_and_removed() {
    let host = TestHost::start().await;
    let token = host.admin().await;
    let everything = json!({"name": "acme", "key": "x", "engines": ["*"]});
    host.post("/api/v1/trust-roots", &token, everything).await.problem(422, "document_refused");
    let call = |path: &'static str| host.call(Method::DELETE, path, &token, json!({}));
    call("/api/v1/trust-roots/acme").await.problem(404, "not_found");
    call("/api/v1/license/nothing").await.problem(404, "not_found");
    assert_eq!(call("/api/v1/license").await.status, 204);
}

#[tokio::test]
async fn a_viewer_sees_the_licence_and_cannot_change_it() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    assert_eq!(host.get("/api/v1/license", &viewer).await.status, 200);
    for (method, path) in [
        (Method::PUT, "/api/v1/license"),
        (Method::DELETE, "/api/v1/license"),
        (Method::PUT, "/api/v1/revocations"),
    ] {
        send(host.request(method, path, &viewer).body("x")).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn the_newest_record_raises_the_floor_of_time_when_the_kept_floor_is_gone() {
    let mut config = Config::default();
    let TestHost { host, clock, folder, .. } = TestHost::start_with(|c| config = c.clone()).await;
    let before = host.app.license.effective_now();
    clock.advance(Duration::days(30));
    host.app.audit.record(&Ctx::system("test"), Change::new("test.ran", "test", "1")).await.unwrap();
    let forget = "DELETE FROM license_state WHERE key = 'clock_floor'";
    host.app.db.write().execute_unprepared(forget).await.unwrap();
    host.stop().await;
    let again = TestHost::over(folder, config).await;
    assert_eq!(again.host.app.license.effective_now(), before + Duration::days(30));
}
