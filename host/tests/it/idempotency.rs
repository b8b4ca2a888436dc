//! `Idempotency-Key`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Answer, PASSWORD, TestHost, send};

async fn create(host: &TestHost, token: &str, key: &str, body: Value) -> Answer {
    let request = host.request(Method::POST, "/api/v1/users", token).header("idempotency-key", key);
    send(request.json(&body)).await
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_does_nothing_twice() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let body = |name: &str| json!({"name": name, "password": PASSWORD});
    let first = create(&host, &admin, "key-1", body("uma")).await;
    let again = create(&host, &admin, "key-1", body("uma")).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    create(&host, &admin, "key-1", body("other")).await.problem(422, "idempotency_key_reused");
    create(&host, &admin, "key-2", body("uma")).await.problem(409, "name_taken");
    let other = host.user(&admin, "olga", &["admin"]).await;
    create(&host, &other, "key-1", body("uma")).await.problem(409, "name_taken");
}

#[tokio::test]
async fn many_at_once_with_one_key_make_one_user() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let calls = (0..8).map(|_| create(&host, &admin, "key", json!({"name": "uma", "password": PASSWORD})));
    let answers = futures_util::future::join_all(calls).await;
    for answer in &answers {
        assert!([201, 409].contains(&answer.status.as_u16()), "{}", answer.body);
        assert_ne!(answer.body["code"], "name_taken");
    }
    assert!(answers.iter().any(|a| a.status == 201));
}
