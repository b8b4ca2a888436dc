//! Policy, history, locks that tell nothing, sessions.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{browse, user_id};
use crate::host::{PASSWORD, TestHost};

#[tokio::test]
async fn passwords_of_a_stolen_list_are_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // SHA-1 of "violet umbrella orbit", as Have I Been Pwned writes it.
    let hash = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, b"violet umbrella orbit");
    let line = format!("{}:42\r\n", data_encoding::HEXUPPER.encode(hash.as_ref()));
    std::fs::write(file.path(), line).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let host = TestHost::start_with(|c| c.auth.breached_passwords_file = path).await;
    let admin = host.admin().await;
    let make = |password: &str| {
        host.post("/api/v1/users", &admin, json!({"name": "ada", "password": password, "roles": []}))
    };
    let refused = make("violet umbrella orbit").await;
    refused.problem(422, "invalid");
    assert!(refused.body["detail"].as_str().unwrap().contains("stolen"), "{}", refused.body);
    make("Charlie12345!").await.problem(422, "invalid");
    assert_eq!(make("violet umbrella orchid").await.status, 201);
}

#[tokio::test]
async fn a_password_used_lately_is_not_used_again() {
    let host = TestHost::start_with(|c| c.auth.password_history = 2).await;
    host.admin().await;
    let cookie = host.log_in("admin", PASSWORD).await.cookie();
    let change = |from: String, to: String| {
        let (host, cookie) = (&host, &cookie);
        async move {
            let body = json!({"current": from, "new": to});
            browse(host, cookie, Method::POST, "/api/v1/me/password", body).await
        }
    };
    let nth = |n: u8| format!("number {n} of many words");
    change(PASSWORD.into(), PASSWORD.into()).await.problem(422, "invalid");
    assert_eq!(change(PASSWORD.into(), nth(1)).await.status, 204);
    assert_eq!(change(nth(1), nth(2)).await.status, 204);
    change(nth(2), PASSWORD.into()).await.problem(422, "invalid");
    change(nth(2), nth(1)).await.problem(422, "invalid");
    assert_eq!(change(nth(2), nth(3)).await.status, 204);
    assert_eq!(change(nth(3), PASSWORD.into()).await.status, 204);
}

#[tokio::test]
async fn a_name_that_nobody_has_locks_like_one_that_somebody_has() {
    let host = TestHost::start().await;
    host.admin().await;
    let mut told = Vec::new();
    for name in ["admin", "nobody"] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            let answer = host.log_in(name, "wrong password").await;
            answers.push((
                answer.status.as_u16(),
                answer.body["detail"].clone(),
                answer.body["code"].clone(),
            ));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0][5].0, 429);
}

#[tokio::test]
async fn an_address_that_fails_with_many_names_has_to_wait() {
    let host = TestHost::start_with(|c| c.auth.address_lockout_after = 5).await;
    host.admin().await;
    for n in 0..5 {
        host.log_in(&format!("guess{n}"), "wrong password").await.problem(401, "wrong_login");
    }
    let waiting = host.log_in("admin", PASSWORD).await;
    waiting.problem(429, "too_many_logins");
    assert!(waiting.headers.contains_key("retry-after"));
    host.clock.advance(Duration::seconds(61));
    assert_eq!(host.log_in("admin", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn passwords_can_be_turned_off() {
    let host = TestHost::start_with(|c| c.auth.password_login = false).await;
    let methods = host.get("/api/v1/auth/methods", "").await.body;
    assert_eq!(methods, json!({"password": false, "password_min_length": 12, "oidc": []}));
    host.log_in("admin", PASSWORD).await.problem(403, "no_passwords");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner_and_by_administrators() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.user(&admin, "vera", &["viewer"]).await;
    let log_in = || async {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let request = host.request(Method::POST, "/api/v1/session", "").header("user-agent", agent);
        crate::host::send(request.json(&json!({"name": "vera", "password": PASSWORD}))).await.cookie()
    };
    let (one, two) = (log_in().await, log_in().await);
    let list = browse(&host, &one, Method::GET, "/api/v1/me/sessions", Value::Null).await.body;
    // The helper that made the token signed in too.
    let mine: Vec<_> = list.as_array().unwrap().iter().filter(|s| s["current"] == true).collect();
    assert_eq!((list.as_array().unwrap().len(), mine.len()), (3, 1));
    assert_eq!((&mine[0]["device"], &mine[0]["method"]), (&json!("Firefox on Linux"), &json!("password")));
    assert_eq!(mine[0]["client_ip"], "127.0.0.1");
    let ended = browse(&host, &one, Method::DELETE, "/api/v1/me/sessions", Value::Null).await;
    assert_eq!((ended.status.as_u16(), &ended.body), (200, &json!({"ended": 2})));
    browse(&host, &two, Method::GET, "/api/v1/me", Value::Null).await.problem(401, "unauthenticated");
    assert_eq!(browse(&host, &one, Method::GET, "/api/v1/me", Value::Null).await.status, 200);

    let path = format!("/api/v1/users/{}/sessions", user_id(&host, &admin, "vera").await);
    let seen = host.get(&path, &admin).await.body;
    let single = format!("{path}/{}", seen[0]["id"].as_str().unwrap());
    assert_eq!(host.call(Method::DELETE, &single, &admin, Value::Null).await.status, 204);
    browse(&host, &one, Method::GET, "/api/v1/me", Value::Null).await.problem(401, "unauthenticated");
    let three = log_in().await;
    assert_eq!(host.call(Method::DELETE, &path, &admin, Value::Null).await.body, json!({"ended": 1}));
    browse(&host, &three, Method::GET, "/api/v1/me", Value::Null).await.problem(401, "unauthenticated");
}
