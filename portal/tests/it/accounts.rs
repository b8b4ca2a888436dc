//! Accounts: signing up and in, roles, invitations, tokens, the activity log.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::portal::{PASSWORD, TestPortal};

#[tokio::test]
async fn somebody_signs_up_signs_out_and_signs_in() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let me = portal.get("/api/v1/me", &customer.cookie).await;
    assert_eq!(me.body["email"], "marta@example.org");
    assert_eq!(me.body["organisations"][0]["role"], "owner");
    assert_eq!(me.body["staff"], false);
    assert!(me.body.get("password_hash").is_none());
    let out = portal.call(Method::DELETE, "/api/v1/session", &customer.cookie, Value::Null).await;
    assert_eq!(out.status, 204);
    portal.get("/api/v1/me", &customer.cookie).await.problem(401, "unauthenticated");
    let body = json!({"email": " Marta@Example.org ", "password": PASSWORD});
    let again = portal.post("/api/v1/session", "", body).await;
    assert_eq!(again.status, 201);
    assert_eq!(portal.get("/api/v1/me", &again.cookie()).await.status, 200);
}

#[tokio::test]
async fn an_address_is_used_once_and_weak_passwords_are_refused() {
    let portal = TestPortal::start().await;
    portal.customer("marta").await;
    let body = |email: &str, password: &str| json!({"email": email, "name": "M", "password": password});
    let taken = portal.post("/api/v1/sign-up", "", body("MARTA@example.org", PASSWORD)).await;
    taken.problem(409, "email_taken");
    for (email, password, field) in [
        ("new@example.org", "password1234", "password"),
        ("new@example.org", "short", "password"),
        ("no-address", PASSWORD, "email"),
        ("a@b@c.org", PASSWORD, "email"),
        ("a b@example.org", PASSWORD, "email"),
    ] {
        let refused = portal.post("/api/v1/sign-up", "", body(email, password)).await;
        refused.problem(422, "invalid");
        assert_eq!(refused.body["field"], field, "{email} {password}");
    }
}

#[tokio::test]
async fn wrong_passwords_lock_the_name_for_a_while_whether_it_exists_or_not() {
    let portal = TestPortal::start().await;
    portal.customer("marta").await;
    for email in ["marta@example.org", "nobody@example.org"] {
        let wrong = json!({"email": email, "password": "wrong horse battery"});
        for _ in 0..5 {
            portal.post("/api/v1/session", "", wrong.clone()).await.problem(401, "wrong_login");
        }
        let locked = portal.post("/api/v1/session", "", json!({"email": email, "password": PASSWORD})).await;
        locked.problem(429, "login_locked");
        assert!(locked.headers.contains_key("retry-after"));
    }
    portal.clock.advance(Duration::minutes(2));
    let right = json!({"email": "marta@example.org", "password": PASSWORD});
    assert_eq!(portal.post("/api/v1/session", "", right).await.status, 201);
}

#[tokio::test]
async fn an_address_that_tries_too_often_waits() {
    let portal = TestPortal::start_with(|config| config.auth.logins_per_minute = 3).await;
    let wrong = json!({"email": "a@example.org", "password": "wrong horse battery"});
    for _ in 0..3 {
        portal.post("/api/v1/session", "", wrong.clone()).await.problem(401, "wrong_login");
    }
    portal.post("/api/v1/session", "", wrong).await.problem(429, "too_many_logins");
}

#[tokio::test]
async fn a_session_ends_with_its_time() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    portal.clock.advance(Duration::hours(13));
    portal.get("/api/v1/me", &customer.cookie).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_invitation_works_once_for_the_invited_address_and_in_time() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let path = format!("/api/v1/organisations/{}/invitations", owner.org);
    let invite = async |email: &str| {
        let made = portal.post(&path, &owner.cookie, json!({"email": email, "role": "billing"})).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    };
    let accept = async |token: &str, cookie: &str| {
        portal.post("/api/v1/invitations/-/accept", cookie, json!({"token": token})).await
    };
    let (bea, carl) = (portal.sign_up("bea", None).await, portal.sign_up("carl", None).await);
    let token = invite("bea@example.org").await;
    accept(&token, &carl).await.problem(403, "others_invitation");
    let joined = accept(&token, &bea).await;
    assert_eq!((joined.status.as_u16(), joined.body["role"].as_str()), (200, Some("billing")));
    accept(&token, &bea).await.problem(403, "wrong_invitation");
    let token = invite("carl@example.org").await;
    portal.clock.advance(Duration::days(8));
    let carl =
        portal.post("/api/v1/session", "", json!({"email": "carl@example.org", "password": PASSWORD})).await;
    accept(&token, &carl.cookie()).await.problem(403, "wrong_invitation");
}

#[tokio::test]
async fn a_withdrawn_invitation_is_none() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let path = format!("/api/v1/organisations/{}/invitations", owner.org);
    let made = portal.post(&path, &owner.cookie, json!({"email": "bea@example.org", "role": "owner"})).await;
    let one = format!("{path}/{}", made.body["id"].as_str().unwrap());
    assert_eq!(portal.call(Method::DELETE, &one, &owner.cookie, Value::Null).await.status, 204);
    let bea = portal.sign_up("bea", None).await;
    let token = made.body["link"].as_str().unwrap().rsplit('/').next().unwrap();
    let refused = portal.post("/api/v1/invitations/-/accept", &bea, json!({"token": token})).await;
    refused.problem(403, "wrong_invitation");
    assert!(portal.get(&path, &owner.cookie).await.body["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_organisation_keeps_an_owner() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let me = portal.get("/api/v1/me", &owner.cookie).await.body["id"].as_str().unwrap().to_owned();
    let member = format!("/api/v1/organisations/{}/members/{me}", owner.org);
    let demote = json!({"role": "technical"});
    portal.call(Method::PATCH, &member, &owner.cookie, demote.clone()).await.problem(409, "last_owner");
    portal.call(Method::DELETE, &member, &owner.cookie, Value::Null).await.problem(409, "last_owner");
    portal.member(&owner, "bea", "owner").await;
    assert_eq!(portal.call(Method::PATCH, &member, &owner.cookie, demote).await.status, 204);
    let invitations = format!("/api/v1/organisations/{}/invitations", owner.org);
    portal.get(&invitations, &owner.cookie).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_member_may_leave_and_not_remove_others() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let bea = portal.member(&owner, "bea", "technical").await;
    let id =
        async |cookie: &str| portal.get("/api/v1/me", cookie).await.body["id"].as_str().unwrap().to_owned();
    let member = |id: String| format!("/api/v1/organisations/{}/members/{id}", owner.org);
    let others = member(id(&owner.cookie).await);
    portal.call(Method::DELETE, &others, &bea, Value::Null).await.problem(403, "forbidden");
    let own = member(id(&bea).await);
    assert_eq!(portal.call(Method::DELETE, &own, &bea, Value::Null).await.status, 204);
    let members = format!("/api/v1/organisations/{}/members", owner.org);
    portal.get(&members, &bea).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_token_does_what_its_owner_does_and_ends_with_the_membership() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let bea = portal.member(&owner, "bea", "technical").await;
    let tokens = format!("/api/v1/organisations/{}/tokens", owner.org);
    let made = portal.post(&tokens, &bea, json!({"name": "ci"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.body["secret"].as_str().unwrap();
    let licenses = format!("/api/v1/organisations/{}/licenses", owner.org);
    assert_eq!(portal.get(&licenses, secret).await.status, 200);
    let orders = format!("/api/v1/organisations/{}/orders", owner.org);
    portal.get(&orders, secret).await.problem(403, "forbidden");
    portal.post(&tokens, secret, json!({"name": "more"})).await.problem(403, "not_a_person");
    portal.post("/api/v1/organisations", secret, json!({"name": "x"})).await.problem(403, "not_a_person");
    let listed = portal.get(&tokens, &owner.cookie).await;
    assert_eq!(listed.body["items"][0]["prefix"].as_str().unwrap(), &secret[..10]);
    assert!(!listed.text.contains(secret));
    let me = portal.get("/api/v1/me", &bea).await.body["id"].as_str().unwrap().to_owned();
    let member = format!("/api/v1/organisations/{}/members/{me}", owner.org);
    assert_eq!(portal.call(Method::DELETE, &member, &owner.cookie, Value::Null).await.status, 204);
    portal.get(&licenses, secret).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_reaches_one_organisation_and_ends_when_it_says() {
    let portal = TestPortal::start().await;
    let owner = portal.customer("marta").await;
    let second = portal.post("/api/v1/organisations", &owner.cookie, json!({"name": "Second"})).await;
    let second = second.body["id"].as_str().unwrap();
    let tokens = format!("/api/v1/organisations/{}/tokens", owner.org);
    let end = portal.now() + Duration::hours(1);
    let made = portal.post(&tokens, &owner.cookie, json!({"name": "ci", "expires_at": end})).await;
    let secret = made.body["secret"].as_str().unwrap();
    portal.get(&format!("/api/v1/organisations/{second}"), secret).await.problem(404, "not_found");
    let own = format!("/api/v1/organisations/{}", owner.org);
    assert_eq!(portal.get(&own, secret).await.status, 200);
    portal.clock.advance(Duration::hours(2));
    portal.get(&own, secret).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_activity_log_tells_of_ones_own_organisation_and_keeps_no_secret() {
    let portal = TestPortal::start().await;
    let (owner, other) = (portal.customer("marta").await, portal.customer("other").await);
    let tokens = format!("/api/v1/organisations/{}/tokens", owner.org);
    let made = portal.post(&tokens, &owner.cookie, json!({"name": "ci"})).await;
    let log = portal.get(&format!("/api/v1/organisations/{}/audit", owner.org), &owner.cookie).await;
    let actions: Vec<&str> =
        log.body["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["token.created", "organisation.created"]);
    assert_eq!(log.body["items"][0]["actor_name"], "marta");
    assert!(!log.text.contains(made.body["secret"].as_str().unwrap()));
    assert!(!log.text.contains(&other.org));
}

#[tokio::test]
async fn twenty_sign_ups_with_one_address_make_one_account() {
    let portal = TestPortal::start().await;
    let body =
        json!({"email": "race@example.org", "name": "R", "password": PASSWORD, "organisation": "Race"});
    let all = (0..20).map(|_| portal.post("/api/v1/sign-up", "", body.clone()));
    let statuses: Vec<u16> =
        futures_util::future::join_all(all).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|s| **s == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|s| [201, 409].contains(s)), "{statuses:?}");
}
