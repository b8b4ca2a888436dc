//! Jobs, events, operations.

use chrono::{TimeDelta, Utc};
use example::Example;
use plugin_testing::{FakeHost, TestEngine, payloads::events::Event};
use serde_json::{Value, json};

#[tokio::test]
async fn an_approved_machine_gets_one_note() {
    let engine = TestEngine::<Example>::builder().debian("web-1", &["web"]).start().await;
    let event = Event {
        topic: "machine.approved".into(),
        machine_id: Some(FakeHost::machine_id("web-1")),
        ..Event::default()
    };
    engine.event(&event).await.unwrap();
    engine.event(&event).await.unwrap();
    let page = engine.client().get("/notes").await.json();
    assert_eq!(page["total"], 1);
    assert_eq!(page["notes"][0]["title"], "New machine web-1");
}

#[tokio::test]
async fn done_notes_are_cleaned_up_daily() {
    let engine = TestEngine::<Example>::builder().setting("keep_days", 0).start().await;
    let client = engine.client();
    client.post("/notes", &json!({ "title": "old", "done": true })).await;
    client.post("/notes", &json!({ "title": "open" })).await;
    assert_eq!(engine.run_jobs_until(Utc::now()).await.unwrap(), 0);
    assert_eq!(engine.run_jobs_until(Utc::now() + TimeDelta::hours(26)).await.unwrap(), 2);
    assert_eq!(client.get("/notes").await.json()["total"], 1);
    assert!(engine.log().contains("cleaned up"));
}

#[tokio::test]
async fn an_unknown_job_is_an_error() {
    let engine = TestEngine::<Example>::start().await;
    assert_eq!(engine.job("nonsense", Value::Null).await.unwrap_err().code, "unknown_method");
}

#[tokio::test]
async fn a_greeting_goes_to_the_machines_in_scope() {
    let engine =
        TestEngine::<Example>::builder().debian("web-1", &["web"]).debian("db-1", &["db"]).start().await;
    let client = engine.client().with_scope("tag:web");
    let started = client.post("/greetings", &json!({ "name": "you", "selector": "os:debian" })).await;
    assert_eq!(started.status, 202, "{}", started.text());
    let (id, operation) = engine.host().operations().remove(0);
    assert_eq!(started.json()["operation_id"], id);
    assert_eq!(operation.machines, [FakeHost::machine_id("web-1")]);
}

#[tokio::test]
async fn the_engine_is_healthy() {
    let engine = TestEngine::<Example>::start().await;
    assert!(engine.health().await.unwrap().healthy);
}
