//! Why somebody may or may not.

use serde_json::{Value, json};

use super::machine;
use crate::host::TestHost;

#[tokio::test]
async fn a_refusal_says_what_is_missing_what_comes_close_and_who_can_help() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    let refused = host.post("/api/v1/enrolment-tokens", &viewer, json!({})).await;
    refused.problem(403, "forbidden");
    assert_eq!(refused.body["permission"], "machines:enrol");
    assert_eq!(refused.body["close_roles"][0]["role"], "viewer");
    let near = refused.body["close_roles"][0]["near"].as_array().unwrap();
    assert!(near.contains(&json!("machines:read")), "{near:?}");
    assert_eq!(refused.body["roles_with_permission"], json!(["admin", "operator"]));
    assert_eq!(refused.body["ask"], json!(["admin"]));
    let log = host.get("/api/v1/audit?outcome=refused", &admin).await.body;
    assert_eq!(log["items"][0]["action"], "access.refused");
    assert_eq!(log["items"][0]["after"]["permission"], "machines:enrol");
    // Reading is refused too, but not recorded.
    host.get("/api/v1/audit", &viewer).await.problem(403, "forbidden");
    assert_eq!(
        host.get("/api/v1/audit?outcome=refused", &admin).await.body["items"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn an_explanation_names_the_role_the_grant_and_the_scope() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let web = json!({"name": "web", "permissions": ["machines:*"], "scope": "tag:web"});
    host.post("/api/v1/roles", &admin, web).await;
    let user = host.user(&admin, "wanda", &["web", "viewer"]).await;
    let machine = machine(&host).await;
    let ask = |who: Value, permission: &str, machine: Option<&str>| {
        let body = json!({"user": who, "permission": permission, "machine": machine});
        host.post("/api/v1/access/explain", &admin, body)
    };
    let out = ask(json!("wanda"), "machines:approve", Some(&machine)).await.body;
    assert_eq!(
        (&out["allowed"], &out["path"][1]["verdict"]),
        (&json!(false), &json!("out_of_scope")),
        "{out}"
    );
    assert_eq!(out["path"][0]["verdict"], "lacks_permission");
    assert!(out["reason"].as_str().unwrap().contains("`tag:web`"), "{out}");

    let path = format!("/api/v1/machines/{machine}");
    let tagged = host.call(reqwest::Method::PATCH, &path, &admin, json!({"tags": ["web"]})).await;
    assert_eq!(tagged.status, 200, "{}", tagged.body);
    let within = ask(json!("wanda"), "machines:approve", Some(&machine)).await.body;
    assert_eq!(
        (&within["allowed"], &within["path"][1]["grant"]),
        (&json!(true), &json!("machines:*")),
        "{within}"
    );
    let none = ask(json!("wanda"), "users:manage", None).await.body;
    assert_eq!((&none["allowed"], &none["roles_with_permission"]), (&json!(false), &json!(["admin"])));
    ask(json!("wanda"), "machines:fly", None).await.problem(422, "invalid");
    ask(json!("nobody"), "machines:read", None).await.problem(404, "not_found");

    // Oneself without any permission; others not.
    let own = host.post("/api/v1/access/explain", &user, json!({"permission": "users:manage"})).await;
    assert_eq!((own.status.as_u16(), &own.body["allowed"]), (200, &json!(false)));
    let other = json!({"user": "admin", "permission": "users:manage"});
    host.post("/api/v1/access/explain", &user, other).await.problem(403, "forbidden");
}
