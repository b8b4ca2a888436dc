//! The engines slice without an engine: files that are none, and addresses that lead nowhere. The end-to-end tests
//! run real packages.

use std::time::Duration;

use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::host::{TestHost, config, send};

async fn refused(host: &TestHost, token: &str, file: &str) -> Value {
    let wait = async {
        loop {
            let list = host.get("/api/v1/engines", token).await;
            let found = list.body["refused"].as_array().unwrap().iter().find(|r| r["file"] == file).cloned();
            if let Some(found) = found {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap()
}

#[tokio::test]
async fn a_dropped_file_that_is_no_package_is_listed_with_its_reason_and_the_host_serves_on() {
    let host = TestHost::start().await;
    let token = host.admin().await;
    let folder = host.folder.path().join("data/engines");
    std::fs::write(folder.join("bad-1.0.0.engine"), b"this is no package").unwrap();
    std::fs::write(folder.join("notes.txt"), b"not looked at").unwrap();
    let found = refused(&host, &token, "bad-1.0.0.engine").await;
    assert_eq!(found["code"], "malformed_archive", "{found}");
    assert!(!found["reason"].as_str().unwrap().is_empty());
    assert_eq!(host.get("/healthz", "").await.status, 200);
    std::fs::remove_file(folder.join("bad-1.0.0.engine")).unwrap();
    let gone = async {
        while !host.get("/api/v1/engines", &token).await.body["refused"].as_array().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_no_package_is_refused_with_its_reason() {
    let host = TestHost::start().await;
    let token = host.admin().await;
    let answer = send(host.request(Method::POST, "/api/v1/engines", &token).body("garbage")).await;
    answer.problem(422, "package_refused");
    assert_eq!(answer.body["reason"], "malformed_archive");
    let path = "/api/v1/engines/-/inspect";
    let answer = send(host.request(Method::POST, path, &token).body("garbage")).await;
    answer.problem(422, "package_refused");
    assert_eq!(answer.body["reason"], "malformed_archive");
}

#[tokio::test]
async fn an_upload_past_the_limit_is_refused() {
    let host = TestHost::start_with(|c| c.engines.max_package_mib = 1).await;
    let token = host.admin().await;
    let answer = send(host.request(Method::POST, "/api/v1/engines", &token).body(vec![0u8; 2 << 20])).await;
    answer.problem(413, "body_too_large");
}

#[tokio::test]
async fn an_unknown_engine_is_not_found_whatever_the_address() {
    let host = TestHost::start().await;
    let token = host.admin().await;
    for path in
        ["/api/v1/engines/nothing", "/api/v1/engines/nothing/scripts", "/api/v1/engines/nothing/-/odd"]
    {
        host.get(path, &token).await.problem(404, "unknown_engine");
    }
    for action in ["enable", "disable", "export"] {
        let path = format!("/api/v1/engines/nothing/-/{action}");
        host.post(&path, &token, json!({})).await.problem(404, "unknown_engine");
    }
    host.get("/engines/nothing/ui/index.js", &token).await.problem(404, "not_found");
}

#[tokio::test]
async fn the_list_of_pages_is_for_any_caller_and_for_callers_only() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.get("/api/v1/engines/-/ui", "").await.problem(401, "unauthenticated");
    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    let list = host.get("/api/v1/engines/-/ui", &viewer).await;
    assert_eq!(list.status, 200);
    assert_eq!(list.body, json!({"items": []}));
}

#[tokio::test]
async fn calls_of_engines_need_a_caller_and_managing_them_a_permission() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.get("/api/v1/engines/nothing/scripts", "").await.problem(401, "unauthenticated");
    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    assert_eq!(host.get("/api/v1/engines", &viewer).await.status, 200);
    let upload = send(host.request(Method::POST, "/api/v1/engines", &viewer).body("x")).await;
    upload.problem(403, "forbidden");
    for action in ["enable", "disable", "rollback", "mode", "grants", "uninstall", "export", "settings"] {
        let path = format!("/api/v1/engines/nothing/-/{action}");
        host.post(&path, &viewer, json!({})).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_job_whose_host_died_is_free_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    // SQLite: other databases may serve other hosts, whose claims count.
    let settings = config(&folder);
    let first = TestHost::over(folder, settings).await;
    let insert = "INSERT INTO engine_jobs (engine, key, name, due_at, every_s, payload, attempts, claimed_until) \
        VALUES ('gone', 'tick', 'tick', '2026-01-01 00:00:00+00:00', 60, 'null', 0, '2100-01-01 00:00:00+00:00')";
    first.host.app.db.write().execute_unprepared(insert).await.unwrap();
    let TestHost { host, folder, .. } = first;
    let config = host.app.config.clone();
    host.stop().await;
    let second = TestHost::over(folder, config).await;
    let claimed = "SELECT key FROM engine_jobs WHERE claimed_until IS NOT NULL";
    let db = second.host.app.db.read();
    let free = async {
        while !db
            .query_all_raw(Statement::from_string(db.get_database_backend(), claimed))
            .await
            .unwrap()
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), free).await.unwrap();
}
