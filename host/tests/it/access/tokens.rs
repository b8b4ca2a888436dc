//! Scopes of tokens and roles, rotation.

use reqwest::Method;
use serde_json::{Value, json};

use super::browse;
use crate::host::{PASSWORD, TestHost};

#[tokio::test]
async fn a_token_has_a_scope_a_visible_beginning_and_new_secrets() {
    let host = TestHost::start().await;
    host.admin().await;
    let cookie = host.log_in("admin", PASSWORD).await.cookie();
    let make = |scope: &str| {
        let body = json!({"name": "ci", "permissions": ["machines:read", "tokens"], "scope": scope});
        browse(&host, &cookie, Method::POST, "/api/v1/tokens", body)
    };
    make("tga:web").await.problem(422, "bad_selector");
    let made = make("tag:web").await.body;
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(
        secret.starts_with(made["prefix"].as_str().unwrap()) && made["prefix"].as_str().unwrap().len() == 10
    );
    let path = format!("/api/v1/tokens/{id}/rotate");
    let other = browse(&host, &cookie, Method::POST, "/api/v1/tokens", json!({"name": "other"})).await.body;
    let rotate_other = format!("/api/v1/tokens/{}/rotate", other["id"].as_str().unwrap());
    host.post(&rotate_other, secret, Value::Null).await.problem(403, "beyond_own_permissions");
    let fresh = browse(&host, &cookie, Method::POST, &path, Value::Null).await;
    assert_eq!((fresh.status.as_u16(), &fresh.body["scope"]), (200, &json!("tag:web")));
    host.get("/api/v1/me", secret).await.problem(401, "unauthenticated");
    assert_eq!(host.get("/api/v1/me", fresh.body["secret"].as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn within_a_scope_one_hands_out_what_one_holds_there_and_nothing_wider() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let lead =
        json!({"name": "lead", "permissions": ["machines:*", "users:*", "roles:*"], "scope": "tag:web"});
    host.post("/api/v1/roles", &admin, lead).await;
    let lead = host.user(&admin, "lea", &["lead"]).await;
    let role = |name: &str, scope: &str| {
        host.post(
            "/api/v1/roles",
            &lead,
            json!({"name": name, "permissions": ["machines:read"], "scope": scope}),
        )
    };
    assert_eq!(role("web-read", " tag:web ").await.status, 201);
    for wider in ["", "tag:db", "tag:web or tag:db", "tag:*"] {
        role("more", wider).await.problem(403, "beyond_own_permissions");
    }
}
