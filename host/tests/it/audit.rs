//! The audit log, secrets and notifications.

use reqwest::Method;
use serde_json::json;
use sysmanage::{
    ctx::Ctx,
    notifications::{Level, NewNotification},
};

use crate::host::TestHost;

#[tokio::test]
async fn a_change_is_in_the_audit_log_with_its_actor_and_request() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let made =
        host.post("/api/v1/roles", &admin, json!({"name": "lab", "permissions": ["machines:read"]})).await;
    let log = host.get("/api/v1/audit?action=role.*", &admin).await.body;
    let entry = &log["items"][0];
    assert_eq!(entry["action"], "role.created");
    assert_eq!(entry["actor_name"], "admin");
    assert_eq!(entry["after"]["name"], "lab");
    assert_eq!(entry["before"], json!(null));
    assert_eq!(entry["request_id"].as_str(), made.headers["x-request-id"].to_str().ok());
    assert!(entry["actor"].as_str().unwrap().starts_with("token:"));
    assert_eq!(entry["client_ip"], "127.0.0.1");
}

#[tokio::test]
async fn a_secret_goes_in_and_only_engines_read_it() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let put = json!({"value": "hunter2-hunter2", "description": "mail"});
    let set = host.call(Method::PUT, "/api/v1/secrets/mail.password", &admin, put).await;
    assert_eq!(set.status, 200);
    let bad = host.call(Method::PUT, "/api/v1/secrets/Bad", &admin, json!({"value": "x"})).await;
    bad.problem(422, "bad_secret_name");
    let listed = host.get("/api/v1/secrets", &admin).await.body;
    assert_eq!(listed["items"][0]["name"], "mail.password");
    let audit = host.get("/api/v1/audit?limit=500", &admin).await.body;
    for seen in [&set.body, &listed, &audit] {
        assert!(!seen.to_string().contains("hunter2"), "{seen}");
    }
    let app = &host.host.app;
    let value = app.secrets.resolve(&Ctx::system("test"), "mailer", "mail.password").await.unwrap();
    assert_eq!(value.as_str(), "hunter2-hunter2");
    let log = host.get("/api/v1/audit?action=secret.read", &admin).await.body;
    assert_eq!(log["items"][0]["after"]["reader"], "mailer");
    host.call(Method::DELETE, "/api/v1/secrets/none", &admin, json!(null)).await.problem(404, "not_found");
}

#[tokio::test]
async fn notifications_reach_those_who_may_see_them_and_stay_read() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    let send = |permission: Option<&str>, title: &str| {
        host.host.app.notifications.send(NewNotification {
            user: None,
            permission: permission.map(String::from),
            source: "core".into(),
            level: Level::Warning,
            title: title.into(),
            body: String::new(),
            link: None,
        })
    };
    send(None, "all").await.unwrap();
    send(Some("users:manage"), "admins").await.unwrap();
    let seen = host.get("/api/v1/notifications", &viewer).await.body;
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    assert_eq!(host.get("/api/v1/notifications", &admin).await.body["items"].as_array().unwrap().len(), 2);
    for _ in 0..2 {
        let mark = json!({"ids": [seen["items"][0]["id"]]});
        assert_eq!(host.post("/api/v1/notifications/-/read", &viewer, mark).await.body["marked"], 1);
    }
    assert_eq!(host.get("/api/v1/notifications", &viewer).await.body["items"][0]["read"], true);
    assert_eq!(host.get("/api/v1/notifications", &admin).await.body["items"][1]["read"], false);
}
