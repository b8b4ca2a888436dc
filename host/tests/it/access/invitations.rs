//! Invitations, and deleting users.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::user_id;
use crate::host::{PASSWORD, TestHost};

#[tokio::test]
async fn an_invitation_makes_one_user_with_the_roles_chosen() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let new = json!({"email": "ada@example.org", "roles": ["viewer"]});
    let made = host.post("/api/v1/invitations", &admin, new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert!(made.body["url"].as_str().unwrap().ends_with(&format!("/invite#{token}")));
    let open = host.get("/api/v1/invitations", &admin).await.body;
    assert_eq!(open["items"][0]["email"], "ada@example.org");
    assert!(!open.to_string().contains(&token));

    let look = host.post("/api/v1/invitations/-/look", "", json!({"token": token})).await;
    assert_eq!((look.status.as_u16(), &look.body["roles"]), (200, &json!(["viewer"])));
    let accept = |name: &str, password: &str| {
        let body = json!({"token": token, "name": name, "password": password});
        host.post("/api/v1/invitations/-/accept", "", body)
    };
    accept("ada", "password1234").await.problem(422, "invalid");
    accept("admin", PASSWORD).await.problem(409, "name_taken");
    let user = accept("Ada", PASSWORD).await;
    assert_eq!((user.status.as_u16(), &user.body["roles"]), (201, &json!(["viewer"])), "{}", user.body);
    assert_eq!(user.body["email"], "ada@example.org");
    accept("ada2", PASSWORD).await.problem(403, "wrong_invitation");
    assert_eq!(host.log_in("ada", PASSWORD).await.status, 201);
    let log = host.get("/api/v1/audit?action=user.created&text=invited_by", &admin).await.body;
    assert_eq!(log["items"][0]["actor_name"], "ada");
}

#[tokio::test]
async fn an_invitation_ends_by_time_and_by_hand() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let invite = |hours: u32| {
        let body = json!({"name": "ada", "roles": [], "expires_in_hours": hours});
        host.post("/api/v1/invitations", &admin, body)
    };
    invite(0).await.problem(422, "invalid");
    invite(721).await.problem(422, "invalid");
    let look = |token: &Value| host.post("/api/v1/invitations/-/look", "", json!({"token": token}));
    let made = invite(1).await.body;
    assert_eq!(look(&made["token"]).await.body["name"], "ada");
    host.clock.advance(Duration::minutes(61));
    look(&made["token"]).await.problem(403, "wrong_invitation");
    let made = invite(1).await.body;
    let path = format!("/api/v1/invitations/{}", made["invitation"]["id"].as_str().unwrap());
    assert_eq!(host.call(Method::DELETE, &path, &admin, Value::Null).await.status, 204);
    look(&made["token"]).await.problem(403, "wrong_invitation");
}

#[tokio::test]
async fn nobody_invites_into_more_than_they_hold() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.post("/api/v1/roles", &admin, json!({"name": "helpdesk", "permissions": ["users:*"]})).await;
    let helper = host.user(&admin, "hal", &["helpdesk"]).await;
    let invite = |roles: Value| host.post("/api/v1/invitations", &helper, json!({"roles": roles}));
    invite(json!(["admin"])).await.problem(403, "beyond_own_permissions");
    invite(json!(["none"])).await.problem(422, "invalid");
    assert_eq!(invite(json!(["helpdesk"])).await.status, 201);
}

#[tokio::test]
async fn what_a_deleted_user_made_goes_to_another_and_their_tokens_end() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let second = host.user(&admin, "second", &["admin"]).await;
    host.post("/api/v1/invitations", &second, json!({"roles": ["viewer"]})).await;
    // Made with a session, so that its maker is the user and not the token.
    let cookie = host.log_in("second", PASSWORD).await.cookie();
    let body = json!({"roles": ["operator"]});
    super::browse(&host, &cookie, Method::POST, "/api/v1/invitations", body).await;
    let (old, heir) = (user_id(&host, &admin, "second").await, user_id(&host, &admin, "admin").await);
    let path = format!("/api/v1/users/{old}");
    let call =
        |path: String| host.call(Method::DELETE, Box::leak(path.into_boxed_str()), &admin, Value::Null);
    call(format!("{path}?reassign_to={old}")).await.problem(422, "invalid");
    assert_eq!(call(format!("{path}?reassign_to={heir}")).await.status, 204);
    host.get("/api/v1/me", &second).await.problem(401, "unauthenticated");
    let open = host.get("/api/v1/invitations", &admin).await.body;
    let makers: Vec<_> = open["items"].as_array().unwrap().iter().map(|i| i["created_by"].clone()).collect();
    assert!(makers.contains(&json!(format!("user:{heir}"))), "{makers:?}");
    assert!(!makers.contains(&json!(format!("user:{old}"))), "{makers:?}");
}
