//! The ledger: both sides can check it.

use plugin_testing::{Body, TestEngine, payloads::events::Event};
use proplus_core::ProplusCore;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

async fn with_entries() -> TestEngine<ProplusCore> {
    let engine = TestEngine::<ProplusCore>::start().await;
    for n in 1..=3 {
        let data = json!({"licenses": [format!("l{n}")]});
        engine.event(&Event { topic: "license.installed".into(), data, ..Event::default() }).await.unwrap();
    }
    engine
}

#[tokio::test]
async fn licence_events_become_entries_that_fit() {
    let engine = with_entries().await;
    let page = engine.client().get("/ledger?limit=2").await.json();
    assert_eq!(page["items"][0]["kind"], "license.installed");
    assert_eq!((page["items"][0]["seq"].as_i64(), page["next"].as_i64()), (Some(3), Some(2)));
    let found = engine.client().get("/ledger/verify").await.json();
    assert_eq!((found["whole"].as_bool(), found["entries"].as_i64()), (Some(true), Some(3)));
}

#[tokio::test]
async fn an_entry_changed_in_the_database_is_found() {
    let engine = with_entries().await;
    let change = "UPDATE proplus_core_ledger SET data = '{}' WHERE seq = 2";
    engine.db().execute_unprepared(change).await.unwrap();
    let found = engine.client().get("/ledger/verify").await.json();
    assert_eq!((found["whole"].as_bool(), found["broken_at"].as_i64()), (Some(false), Some(2)));
}

#[tokio::test]
async fn an_export_is_checked_without_the_host_and_a_changed_line_is_found() {
    let engine = with_entries().await;
    let text = engine.client().get("/ledger/export").await.text();
    assert_eq!(text.lines().count(), 4);
    assert!(proplus_core::check_export(&text).whole);
    let seal: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(!seal["signature"].as_str().unwrap().is_empty());
    let changed = text.replacen("l2", "l9", 1);
    let answer = engine
        .client()
        .send("POST", "/ledger/verify", Body::Bytes("application/x-ndjson", changed.into()))
        .await;
    assert_eq!(answer.json()["broken_at"], 2);
}
