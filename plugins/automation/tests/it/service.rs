//! What happens without anybody asking: lost events, retention, settings.

use plugin_sdk::sea_orm::ConnectionTrait;
use plugin_testing::{TestEngine, payloads::operations::TaskState};
use serde_json::json;

use crate::world::{fleet, id, ok, plain, result, run, script, task_on, user};

#[tokio::test]
async fn lost_events_are_made_up_for() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({ "selector": "tag:db" })).await;
    let (operation, _) = engine.host().operations().pop().unwrap();
    // The host cancels on its own, and its events get lost.
    let request =
        plugin_testing::payloads::operations::CancelRequest { operation_id: operation, ..Default::default() };
    assert!(!request.operation_id.is_empty());
    engine.task(&task_on(&engine, "db-1"), TaskState::Running, json!(null)).await.unwrap();
    engine.db().execute_unprepared("UPDATE automation_run_targets SET state = 'queued'").await.unwrap();
    engine
        .db()
        .execute_unprepared("UPDATE automation_runs SET queued = 1, running = 0, state = 'queued'")
        .await
        .unwrap();
    engine.job("tick", json!(null)).await.unwrap();
    assert_eq!(ok(client.get(&format!("/runs/{}", id(&started))).await)["state"], "running");
}

#[tokio::test]
async fn a_run_the_host_could_not_take_is_offered_again() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({})).await;
    // As after a crash between the host's answer and our note of it.
    let lost = "UPDATE automation_runs SET state = 'starting', operation_id = NULL, \
        created_at = '2026-01-01 00:00:00+00:00'";
    engine.db().execute_unprepared(lost).await.unwrap();
    engine.job("tick", json!(null)).await.unwrap();
    let shown = ok(client.get(&format!("/runs/{}", id(&started))).await);
    assert_eq!((&shown["state"], &shown["operation_id"]), (&json!("queued"), &started["operation_id"]));
    assert_eq!(engine.host().operations().len(), 1, "the key made it the same operation");
}

#[tokio::test]
async fn ended_runs_are_kept_as_long_as_an_administrator_wants() {
    let engine = fleet().setting("retention_days", 30).start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let ended = run(&client, &made, json!({ "selector": "tag:db" })).await;
    engine.task(&task_on(&engine, "db-1"), TaskState::Succeeded, result(0, "x")).await.unwrap();
    let open = run(&client, &made, json!({})).await;
    engine.job("prune", json!(null)).await.unwrap();
    assert_eq!(client.get(&format!("/runs/{}", id(&ended))).await.status, 200);
    let old = "UPDATE automation_runs SET created_at = '2020-01-01 00:00:00+00:00'";
    engine.db().execute_unprepared(old).await.unwrap();
    engine.job("prune", json!(null)).await.unwrap();
    assert_eq!(client.get(&format!("/runs/{}", id(&ended))).await.status, 404);
    assert_eq!(client.get(&format!("/runs/{}", id(&open))).await.status, 200, "what runs is kept");
    assert!(engine.host().audit_actions().contains(&"automation.runs.pruned".into()));
}

#[tokio::test]
async fn settings_are_the_last_word_on_time_and_output() {
    let engine = fleet().setting("default_timeout_s", 42).setting("output_limit_kib", 8).start().await;
    let client = user(&engine, 1);
    let made = script(&client, json!({})).await;
    run(&client, &made, json!({})).await;
    let (_, operation) = engine.host().operations().pop().unwrap();
    assert_eq!((operation.timeout_s, &operation.payload["output_limit_bytes"]), (42, &json!(8 * 1024)));
}

#[tokio::test]
async fn the_engine_is_healthy_and_keeps_its_timers() {
    let engine = TestEngine::<automation::Automation>::start().await;
    assert!(engine.health().await.unwrap().healthy);
    let names: Vec<_> = engine.host().jobs().into_iter().map(|j| j.name).collect();
    assert_eq!(names, ["prune", "tick"]);
}

#[tokio::test]
async fn asking_again_for_a_run_that_was_not_handed_over_hands_it_over() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let request = json!({ "idempotency_key": "once" });
    let started = run(&client, &made, request.clone()).await;
    // As after a crash before the host was asked.
    let lost = "UPDATE automation_runs SET state = 'starting', operation_id = NULL";
    engine.db().execute_unprepared(lost).await.unwrap();
    let again = run(&client, &made, request).await;
    assert_eq!((&again["id"], &again["state"]), (&started["id"], &json!("queued")));
    assert_eq!(again["operation_id"], started["operation_id"]);
}

#[tokio::test]
async fn a_new_process_takes_up_at_once_what_the_one_before_left() {
    let began = chrono::Utc::now();
    let engine = fleet().start().await;
    let tick = engine.host().jobs().into_iter().find(|j| j.name == "tick").unwrap();
    let first = tick.at.unwrap() - began;
    assert!(first <= chrono::Duration::seconds(5), "the first tick comes after {first}");
}
