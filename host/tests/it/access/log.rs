//! The activity log: filters, scopes, CSV, retention.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use sysmanage::{audit::Change, ctx::Ctx};

use super::machine;
use crate::host::TestHost;

fn actions(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|i| i["action"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn entries_are_found_by_machine_outcome_and_text() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let machine = machine(&host).await;
    host.log_in("admin", "wrong password").await.problem(401, "wrong_login");
    host.post("/api/v1/roles", &admin, json!({"name": "lab_100", "permissions": []})).await;
    host.post("/api/v1/roles", &admin, json!({"name": "labx100", "permissions": []})).await;
    let of = |query: String| {
        let (host, admin) = (&host, &admin);
        async move { actions(&host.get(&format!("/api/v1/audit?{query}"), admin).await.body) }
    };
    let on_machine = of(format!("machine={machine}")).await;
    assert!(on_machine.contains(&"machine.approved".to_owned()), "{on_machine:?}");
    assert!(on_machine.iter().all(|a| a.starts_with("machine.")), "{on_machine:?}");
    assert_eq!(of("outcome=refused".into()).await, ["session.refused"]);
    // An underscore is a letter here, not a pattern.
    assert_eq!(of("text=LAB_100".into()).await, ["role.created"]);
    assert!(of("text=nothing%20like%20it".into()).await.is_empty());
    host.get("/api/v1/audit?outcome=perhaps", &admin).await.problem(400, "bad_query");
}

#[tokio::test]
async fn who_is_confined_to_machines_sees_what_concerns_those() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let machine = machine(&host).await;
    let web = json!({"name": "web", "permissions": ["audit:read", "machines:*"], "scope": "tag:web"});
    host.post("/api/v1/roles", &admin, web).await;
    let wanda = host.user(&admin, "wanda", &["web"]).await;
    let none = host.get("/api/v1/audit?limit=500", &wanda).await.body;
    assert!(actions(&none).is_empty(), "{none}");
    host.call(Method::PATCH, &format!("/api/v1/machines/{machine}"), &admin, json!({"tags": ["web"]})).await;
    let some = actions(&host.get("/api/v1/audit?limit=500", &wanda).await.body);
    assert!(!some.is_empty() && some.iter().all(|a| a.starts_with("machine.")), "{some:?}");
    let csv = host.get("/api/v1/audit/export", &wanda).await.body;
    assert!(!csv.as_str().unwrap().contains("user.created"), "{csv}");
}

#[tokio::test]
async fn the_export_is_whole_quoted_and_harmless() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    for n in 0..1203 {
        let change = Change::new("test.counted", "test", n).after(json!({"note": "a \"quoted\", note"}));
        host.host.app.audit.record(&Ctx::system("test"), change).await.unwrap();
    }
    let formula = Change::new("test.formula", "test", "=cmd|' /C calc'!A0");
    host.host.app.audit.record(&Ctx::system("test"), formula).await.unwrap();
    let answer = host.get("/api/v1/audit/export?action=test.*", &admin).await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8; header=present");
    let text = answer.body.as_str().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 1203 + 1);
    assert!(lines[0].starts_with("at,outcome,actor"));
    assert!(lines[1].contains("\"'=cmd|' /C calc'!A0\""), "{}", lines[1]);
    assert!(lines[2].contains("\"1202\"") && lines[1204].contains("\"0\""));
    assert!(lines[2].ends_with("\"{\"\"note\"\":\"\"a \\\"\"quoted\\\"\", note\"\"}\""), "{}", lines[2]);
    let log = host.get("/api/v1/audit?action=audit.exported", &admin).await.body;
    assert_eq!(log["items"][0]["after"]["action"], "test.*");
}

#[tokio::test]
async fn entries_are_kept_as_long_as_is_set() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let set = |days: u32| host.call(Method::PUT, "/api/v1/audit/retention", &admin, json!({"days": days}));
    set(7).await.problem(422, "invalid");
    assert_eq!(host.get("/api/v1/audit/retention", &admin).await.body, json!({"days": 0}));
    let app = &host.host.app;
    host.clock.advance(Duration::days(40));
    assert_eq!(app.audit.sweep(&app.settings).await.unwrap(), 0);
    assert_eq!(set(30).await.status, 200);
    assert!(app.audit.sweep(&app.settings).await.unwrap() > 0);
    let left = actions(&host.get("/api/v1/audit?limit=500", &admin).await.body);
    assert_eq!(left, ["setting.changed"]);
}
