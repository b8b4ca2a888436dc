//! What people set for themselves.

use reqwest::Method;
use serde_json::{Value, json};

use super::browse;
use crate::host::{PASSWORD, TestHost};

#[tokio::test]
async fn everybody_keeps_their_own_name_language_and_preferences() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.user(&admin, "vera", &[]).await;
    let cookie = host.log_in("vera", PASSWORD).await.cookie();
    let patch = |body: Value| browse(&host, &cookie, Method::PATCH, "/api/v1/me", body);
    let theme = json!({"theme": "dark", "columns": {"machines": ["name", "os"]}});
    let change = json!({"display_name": "Vera", "language": "pt-BR", "preferences": theme});
    assert_eq!(patch(change).await.status, 200);
    let me = browse(&host, &cookie, Method::GET, "/api/v1/me", Value::Null).await.body;
    assert_eq!(me["preferences"], theme);
    assert_eq!((&me["user"]["display_name"], &me["user"]["language"]), (&json!("Vera"), &json!("pt-BR")));
    for bad in [
        json!({"language": "not a language"}),
        json!({"preferences": {"x": "y".repeat(17_000)}}),
        json!({"preferences": {"x": "\u{0}"}}),
        json!({"display_name": "a\nb"}),
    ] {
        patch(bad).await.problem(422, "invalid");
    }
    // What decides about rights is not one's own to set.
    for beyond in
        [json!({"email": "boss@example.org"}), json!({"roles": ["admin"]}), json!({"preferences": []})]
    {
        patch(beyond).await.problem(422, "invalid");
    }
}
