//! Signing in with a second factor.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{browse, role_id, totp::code, user_id};
use crate::host::{Answer, PASSWORD, TestHost, now};

/// Give `name` a second factor: a cookie, the secret, the recovery codes.
async fn enrolled(host: &TestHost, name: &str) -> (String, String, Vec<String>) {
    let cookie = host.log_in(name, PASSWORD).await.cookie();
    let begun = browse(host, &cookie, Method::POST, "/api/v1/me/totp", json!({"password": PASSWORD})).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let secret = begun.body["secret"].as_str().unwrap().to_owned();
    let body = json!({"code": code(&secret, now(host))});
    let done = browse(host, &cookie, Method::POST, "/api/v1/me/totp/confirm", body).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let codes = serde_json::from_value(done.body["recovery_codes"].clone()).unwrap();
    (cookie, secret, codes)
}

async fn half(host: &TestHost, name: &str) -> String {
    let first = host.log_in(name, PASSWORD).await;
    assert_eq!((first.status.as_u16(), &first.body["next"]), (202, &json!("totp")), "{}", first.body);
    assert!(!first.headers.contains_key("set-cookie"));
    first.body["half_session"].as_str().unwrap().to_owned()
}

async fn second(host: &TestHost, half: &str, code: &str) -> Answer {
    host.post("/api/v1/session/totp", "", json!({"half_session": half, "code": code})).await
}

#[tokio::test]
async fn a_code_is_asked_for_once_it_was_confirmed_and_taken_once() {
    let host = TestHost::start().await;
    host.admin().await;
    let (cookie, secret, _) = enrolled(&host, "admin").await;
    let state = browse(&host, &cookie, Method::GET, "/api/v1/me/totp", Value::Null).await.body;
    assert_eq!(state, json!({"enabled": true, "required": false, "recovery_codes_left": 10}));

    // The code that confirmed was seen: it is not taken at sign-in.
    second(&host, &half(&host, "admin").await, &code(&secret, now(&host))).await.problem(401, "wrong_code");
    host.clock.advance(Duration::seconds(30));
    let right = code(&secret, now(&host));
    let session = second(&host, &half(&host, "admin").await, &right).await;
    assert_eq!((session.status.as_u16(), &session.body["method"]), (201, &json!("password+totp")));
    assert_eq!(browse(&host, &session.cookie(), Method::GET, "/api/v1/me", Value::Null).await.status, 200);
    second(&host, &half(&host, "admin").await, &right).await.problem(401, "wrong_code");
}

#[tokio::test]
async fn a_half_session_allows_nothing_and_ends() {
    let host = TestHost::start_with(|c| c.auth.lockout_after = 50).await;
    host.admin().await;
    let (_, secret, _) = enrolled(&host, "admin").await;
    host.clock.advance(Duration::seconds(30));
    let token = half(&host, "admin").await;
    let as_cookie = format!("__Host-session={token}");
    browse(&host, &as_cookie, Method::GET, "/api/v1/me", Value::Null).await.problem(401, "unauthenticated");
    for _ in 0..5 {
        second(&host, &token, "000000").await.problem(401, "wrong_code");
    }
    second(&host, &token, &code(&secret, now(&host))).await.problem(401, "half_session_ended");

    let token = half(&host, "admin").await;
    host.clock.advance(Duration::minutes(6));
    second(&host, &token, &code(&secret, now(&host))).await.problem(401, "half_session_ended");

    let token = half(&host, "admin").await;
    assert_eq!(second(&host, &token, &code(&secret, now(&host))).await.status, 201);
    host.clock.advance(Duration::seconds(30));
    second(&host, &token, &code(&secret, now(&host))).await.problem(401, "half_session_ended");
}

#[tokio::test]
async fn wrong_codes_lock_as_wrong_passwords_do_and_an_administrator_unlocks() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.user(&admin, "vera", &["viewer"]).await;
    enrolled(&host, "vera").await;
    let token = half(&host, "vera").await;
    for _ in 0..5 {
        second(&host, &token, "000000").await.problem(401, "wrong_code");
    }
    host.log_in("vera", PASSWORD).await.problem(429, "login_locked");
    let path = format!("/api/v1/users/{}/unlock", user_id(&host, &admin, "vera").await);
    let user = host.post(&path, &admin, Value::Null).await;
    assert_eq!((user.status.as_u16(), &user.body["locked_until"]), (200, &Value::Null));
    assert_eq!(host.log_in("vera", PASSWORD).await.status, 202);
}

#[tokio::test]
async fn a_recovery_code_stands_in_once() {
    let host = TestHost::start().await;
    host.admin().await;
    let (cookie, _, codes) = enrolled(&host, "admin").await;
    assert_eq!(codes.len(), 10);
    let typed = codes[3].to_uppercase().replace('-', " ");
    let session = second(&host, &half(&host, "admin").await, &typed).await;
    assert_eq!((session.status.as_u16(), &session.body["method"]), (201, &json!("password+recovery_code")));
    second(&host, &half(&host, "admin").await, &codes[3]).await.problem(401, "wrong_code");
    let renew = json!({"password": PASSWORD});
    let fresh = browse(&host, &cookie, Method::POST, "/api/v1/me/totp/recovery-codes", renew).await;
    second(&host, &half(&host, "admin").await, &codes[4]).await.problem(401, "wrong_code");
    let new = fresh.body["recovery_codes"][0].as_str().unwrap();
    assert_eq!(second(&host, &half(&host, "admin").await, new).await.status, 201);
}

#[tokio::test]
async fn a_role_may_require_it_and_then_it_is_set_up_at_sign_in() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.user(&admin, "olga", &["operator"]).await;
    let path = format!("/api/v1/roles/{}/totp", role_id(&host, &admin, "operator").await);
    let role = host.call(Method::PUT, &path, &admin, json!({"required": true})).await;
    assert_eq!((role.status.as_u16(), &role.body["require_totp"]), (200, &json!(true)), "{}", role.body);
    let first = host.log_in("olga", PASSWORD).await;
    assert_eq!((first.status.as_u16(), &first.body["next"]), (202, &json!("enrol_totp")));
    let half = first.body["half_session"].as_str().unwrap();
    second(&host, half, "000000").await.problem(401, "half_session_ended");
    let enrol = host.post("/api/v1/session/totp/enrol", "", json!({"half_session": half})).await;
    let (secret, svg) = (enrol.body["secret"].as_str().unwrap(), enrol.body["qr_svg"].as_str().unwrap());
    assert!(svg.starts_with("<svg ") && enrol.body["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    let confirm = |code: String| {
        host.post("/api/v1/session/totp/confirm", "", json!({"half_session": half, "code": code}))
    };
    confirm("000000".into()).await.problem(401, "wrong_code");
    let done = confirm(code(secret, now(&host))).await;
    assert_eq!(done.status, 201, "{}", done.body);
    assert_eq!(done.body["recovery_codes"].as_array().unwrap().len(), 10);
    let off = json!({"password": PASSWORD});
    let cookie = done.cookie();
    browse(&host, &cookie, Method::POST, "/api/v1/me/totp/disable", off).await.problem(409, "totp_required");
}

#[tokio::test]
async fn an_administrator_takes_it_away_from_who_lost_it() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.user(&admin, "vera", &["viewer"]).await;
    let (cookie, ..) = enrolled(&host, "vera").await;
    let path = format!("/api/v1/users/{}/totp-reset", user_id(&host, &admin, "vera").await);
    assert_eq!(host.post(&path, &admin, Value::Null).await.status, 204);
    browse(&host, &cookie, Method::GET, "/api/v1/me", Value::Null).await.problem(401, "unauthenticated");
    assert_eq!(host.log_in("vera", PASSWORD).await.status, 201);

    // Nobody takes it away from those who may do more.
    let helpdesk = json!({"name": "helpdesk", "permissions": ["users:*"]});
    host.post("/api/v1/roles", &admin, helpdesk).await;
    let helper = host.user(&admin, "hal", &["helpdesk"]).await;
    let path = format!("/api/v1/users/{}/totp-reset", user_id(&host, &admin, "admin").await);
    host.post(&path, &helper, Value::Null).await.problem(403, "beyond_own_permissions");
}

#[tokio::test]
async fn it_is_set_up_and_turned_off_only_with_the_password() {
    let host = TestHost::start().await;
    host.admin().await;
    let (cookie, ..) = enrolled(&host, "admin").await;
    let post = |path: &'static str, password: &str| {
        let (host, cookie, body) = (&host, &cookie, json!({"password": password}));
        async move { browse(host, cookie, Method::POST, path, body).await }
    };
    post("/api/v1/me/totp/disable", "a guess at it").await.problem(422, "invalid");
    post("/api/v1/me/totp", PASSWORD).await.problem(409, "totp_enabled");
    assert_eq!(post("/api/v1/me/totp/disable", PASSWORD).await.status, 204);
    post("/api/v1/me/totp/recovery-codes", PASSWORD).await.problem(409, "totp_disabled");
    assert_eq!(host.log_in("admin", PASSWORD).await.status, 201);
}
