//! Set-up, log-in, sessions, tokens, users and roles.

use chrono::Duration;
use reqwest::Method;
use serde_json::json;

use crate::host::{PASSWORD, TestHost, now, send};

#[tokio::test]
async fn the_setup_link_makes_one_administrator_and_ends() {
    let host = TestHost::start().await;
    assert_eq!(host.get("/api/v1/setup", "").await.body["needed"], true);
    let body = |token: &str, password: &str| json!({"token": token, "name": "Ada", "password": password});
    host.post("/api/v1/setup", "", body("wrong", PASSWORD)).await.problem(403, "wrong_setup_token");
    let token = host.setup_token();
    host.post("/api/v1/setup", "", body(&token, "password1234")).await.problem(422, "invalid");
    let made = host.post("/api/v1/setup", "", body(&token, PASSWORD)).await;
    assert_eq!((made.status.as_u16(), &made.body["roles"]), (201, &json!(["admin"])));
    host.post("/api/v1/setup", "", body(&token, PASSWORD)).await.problem(409, "set_up_already");
    assert_eq!(host.get("/api/v1/setup", "").await.body["needed"], false);
    assert_eq!(host.log_in("ADA", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn the_setup_link_ends_after_an_hour() {
    let host = TestHost::start().await;
    host.clock.advance(Duration::minutes(61));
    let body = json!({"token": host.setup_token(), "name": "ada", "password": PASSWORD});
    host.post("/api/v1/setup", "", body).await.problem(403, "wrong_setup_token");
}

#[tokio::test]
async fn a_session_lasts_until_it_is_idle_old_or_ended() {
    let host = TestHost::start().await;
    host.admin().await;
    let me = |cookie: String| send(host.request(Method::GET, "/api/v1/me", "").header("cookie", cookie));
    let login = host.log_in("admin", PASSWORD).await;
    let set = login.headers["set-cookie"].to_str().unwrap();
    for part in ["__Host-session=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = login.cookie();
    assert_eq!(me(cookie.clone()).await.body["name"], "admin");
    host.clock.advance(Duration::minutes(61));
    me(cookie).await.problem(401, "unauthenticated");

    let cookie = host.log_in("admin", PASSWORD).await.cookie();
    for _ in 0..14 {
        host.clock.advance(Duration::minutes(50));
        assert_eq!(me(cookie.clone()).await.status, 200);
    }
    host.clock.advance(Duration::minutes(50));
    me(cookie).await.problem(401, "unauthenticated");

    let cookie = host.log_in("admin", PASSWORD).await.cookie();
    let out = send(host.request(Method::DELETE, "/api/v1/session", "").header("cookie", &cookie)).await;
    assert_eq!(out.status, 204);
    me(cookie).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_use_a_session() {
    let host = TestHost::start().await;
    host.admin().await;
    let cookie = host.log_in("admin", PASSWORD).await.cookie();
    let post = |name: &'static str, value: String| {
        let request = host.request(Method::POST, "/api/v1/tokens", "").header("cookie", &cookie);
        send(request.header(name, value).json(&json!({"name": "x"})))
    };
    post("origin", "https://evil.example".into()).await.problem(403, "cross_origin");
    post("origin", "null".into()).await.problem(403, "cross_origin");
    post("sec-fetch-site", "cross-site".into()).await.problem(403, "cross_origin");
    assert_eq!(post("origin", format!("https://{}", host.host.http)).await.status, 201);
}

#[tokio::test]
async fn wrong_passwords_lock_a_user_for_longer_each_time() {
    let host = TestHost::start().await;
    host.admin().await;
    for _ in 0..5 {
        host.log_in("admin", "wrong password").await.problem(401, "wrong_login");
    }
    let locked = host.log_in("admin", PASSWORD).await;
    locked.problem(429, "login_locked");
    assert!(locked.headers.contains_key("retry-after"));
    host.clock.advance(Duration::seconds(61));
    host.log_in("admin", "wrong password").await.problem(401, "wrong_login");
    host.clock.advance(Duration::seconds(61));
    host.log_in("admin", PASSWORD).await.problem(429, "login_locked");
    host.clock.advance(Duration::seconds(61));
    assert_eq!(host.log_in("admin", PASSWORD).await.status, 201);
    host.log_in("nobody", "wrong password").await.problem(401, "wrong_login");
}

#[tokio::test]
async fn one_address_may_try_only_so_often() {
    let host = TestHost::start_with(|c| c.auth.logins_per_minute = 3).await;
    for _ in 0..3 {
        host.log_in("nobody", "wrong password").await.problem(401, "wrong_login");
    }
    host.log_in("nobody", "wrong password").await.problem(429, "too_many_logins");
}

#[tokio::test]
async fn a_token_does_what_it_was_given_and_never_more_than_its_user() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.user(&admin, "vera", &["viewer"]).await;
    let cookie = host.log_in("vera", PASSWORD).await.cookie();
    let make =
        |body| send(host.request(Method::POST, "/api/v1/tokens", "").header("cookie", &cookie).json(&body));
    let narrow = make(json!({"name": "n", "permissions": ["machines:read", "users:manage"]})).await.body;
    let me = host.get("/api/v1/me", narrow["secret"].as_str().unwrap()).await.body;
    assert_eq!(me["permissions"], json!(["machines:read"]));
    let secret = narrow["secret"].as_str().unwrap();
    host.post("/api/v1/tokens", secret, json!({"name": "more"})).await.problem(403, "beyond_own_permissions");

    let end = now(&host) + Duration::hours(1);
    let short =
        make(json!({"name": "s", "expires_at": end})).await.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(host.get("/api/v1/me", &short).await.status, 200);
    host.clock.advance(Duration::minutes(61));
    host.get("/api/v1/me", &short).await.problem(401, "unauthenticated");

    let id = narrow["id"].as_str().unwrap();
    assert_eq!(
        host.call(Method::DELETE, &format!("/api/v1/tokens/{id}"), secret, json!(null)).await.status,
        204
    );
    host.get("/api/v1/me", secret).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn nobody_hands_out_more_than_they_hold() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let helpdesk = json!({"name": "helpdesk", "permissions": ["users:*", "roles:*", "machines:read"]});
    assert_eq!(host.post("/api/v1/roles", &admin, helpdesk).await.status, 201);
    let helper = host.user(&admin, "hal", &["helpdesk"]).await;
    let user = |roles| json!({"name": "mallory", "password": PASSWORD, "roles": roles});
    host.post("/api/v1/users", &helper, user(json!(["admin"]))).await.problem(403, "beyond_own_permissions");
    let role = json!({"name": "all", "permissions": ["*"]});
    host.post("/api/v1/roles", &helper, role).await.problem(403, "beyond_own_permissions");
    let role = json!({"name": "more", "permissions": ["secrets:manage"]});
    host.post("/api/v1/roles", &helper, role).await.problem(403, "beyond_own_permissions");
    let ada = host.get("/api/v1/users", &admin).await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{ada}/password");
    host.post(&path, &helper, json!({"password": PASSWORD})).await.problem(403, "beyond_own_permissions");
    assert_eq!(host.post("/api/v1/users", &helper, user(json!(["helpdesk"]))).await.status, 201);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let id = host.get("/api/v1/me", &admin).await.body["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    host.call(Method::DELETE, &path, &admin, json!(null)).await.problem(409, "last_administrator");
    for change in [json!({"state": "disabled"}), json!({"roles": ["viewer"]})] {
        host.call(Method::PATCH, &path, &admin, change).await.problem(409, "last_administrator");
    }
    host.user(&admin, "second", &["admin"]).await;
    assert_eq!(host.call(Method::PATCH, &path, &admin, json!({"state": "disabled"})).await.status, 200);
    host.get("/api/v1/me", &admin).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_change_over_somebody_elses_is_refused() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    host.user(&admin, "vera", &["viewer"]).await;
    let users = host.get("/api/v1/users?limit=1&cursor=YWRtaW4", &admin).await.body;
    let path = format!("/api/v1/users/{}", users["items"][0]["id"].as_str().unwrap());
    let seen = host.get(&path, &admin).await;
    let tag = seen.headers["etag"].to_str().unwrap().to_owned();
    let not_modified = send(host.request(Method::GET, &path, &admin).header("if-none-match", &tag)).await;
    assert_eq!(not_modified.status, 304);
    host.clock.advance(Duration::seconds(1));
    let change = |name: &str| {
        let request = host.request(Method::PATCH, &path, &admin).header("if-match", &tag);
        send(request.json(&json!({"display_name": name})))
    };
    assert_eq!(change("Vera").await.status, 200);
    change("Other").await.problem(412, "changed_since");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    for name in ["u1", "u2", "u3"] {
        host.user(&admin, name, &[]).await;
    }
    let (mut path, mut names) = ("/api/v1/users?limit=2".to_owned(), Vec::new());
    loop {
        let page = host.get(&path, &admin).await.body;
        names
            .extend(page["items"].as_array().unwrap().iter().map(|u| u["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/users?limit=2&cursor={next}");
    }
    assert_eq!(names, ["admin", "u1", "u2", "u3"]);
    host.get("/api/v1/users?cursor=%25", &admin).await.problem(400, "bad_cursor");
}

#[tokio::test]
async fn built_in_roles_and_roles_in_use_stay() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let roles = host.get("/api/v1/roles", &admin).await.body;
    let id = |name: &str, roles: &serde_json::Value| {
        let role = roles["items"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap();
        role["id"].as_str().unwrap().to_owned()
    };
    let viewer = format!("/api/v1/roles/{}", id("viewer", &roles));
    host.call(Method::DELETE, &viewer, &admin, json!(null)).await.problem(409, "built_in_role");
    let lab = json!({"name": "lab", "permissions": ["machines:*"], "scope": "tag:lab"});
    let lab_id = host.post("/api/v1/roles", &admin, lab).await.body["id"].as_str().unwrap().to_owned();
    host.user(&admin, "lars", &["lab"]).await;
    let path = format!("/api/v1/roles/{lab_id}");
    host.call(Method::DELETE, &path, &admin, json!(null)).await.problem(409, "role_in_use");
    let bad = json!({"name": "bad", "permissions": ["machines:*"], "scope": "tga:lab"});
    host.post("/api/v1/roles", &admin, bad).await.problem(422, "bad_selector");
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let host = TestHost::start().await;
    host.admin().await;
    let other = host.log_in("admin", PASSWORD).await.cookie();
    let cookie = host.log_in("admin", PASSWORD).await.cookie();
    let change = |current: &str| {
        let request = host.request(Method::POST, "/api/v1/me/password", "").header("cookie", &cookie);
        send(request.json(&json!({"current": current, "new": "another long sentence"})))
    };
    change("wrong").await.problem(422, "invalid");
    assert_eq!(change(PASSWORD).await.status, 204);
    let me = |cookie: String| send(host.request(Method::GET, "/api/v1/me", "").header("cookie", cookie));
    me(other).await.problem(401, "unauthenticated");
    assert_eq!(me(cookie.clone()).await.status, 200);
    assert_eq!(host.log_in("admin", "another long sentence").await.status, 201);
}
