//! Schedules.

use chrono::{TimeDelta, Utc};
use plugin_testing::payloads::{
    host_calls,
    jobs::{JobCall, JobSpec},
    operations::TaskState,
};
use serde_json::{Value, json};

use crate::world::{Engine, fleet, id, ok, plain, refused, result, script, task_on};

async fn scheduled(engine: &Engine, more: Value) -> Value {
    let client = plain(engine, 1);
    let made = script(&client, json!({})).await;
    let mut body = json!({
        "name": "nightly", "script_id": made["id"], "selector": "tag:web",
        "rule": { "kind": "interval", "every_s": 3600 },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ok(client.post("/schedules", &body).await)
}

fn timer(engine: &Engine) -> Option<JobSpec> {
    engine.host().jobs().into_iter().find(|j| j.name == "run_schedule")
}

/// Ring as the host does: late by so many seconds, with an id.
async fn ring(engine: &Engine, run_id: &str, late_s: i64) {
    let timer = timer(engine).unwrap();
    let job = JobCall {
        key: timer.key,
        name: timer.name,
        run_id: run_id.into(),
        due_at: Some(Utc::now() - TimeDelta::seconds(late_s)),
        payload: timer.payload,
    };
    engine.call::<_, ()>(host_calls::JOB, &job).await.unwrap();
}

async fn shown(engine: &Engine, schedule: &Value) -> Value {
    ok(plain(engine, 1).get(&format!("/schedules/{}", id(schedule))).await)
}

#[tokio::test]
async fn a_due_schedule_runs_exactly_once_however_often_the_host_rings() {
    let engine = fleet().start().await;
    let made = scheduled(&engine, json!({})).await;
    assert_eq!(
        timer(&engine).unwrap().at.unwrap().to_rfc3339().get(..19),
        made["next_at"].as_str().unwrap().get(..19)
    );
    ring(&engine, "ring-1", 0).await;
    ring(&engine, "ring-1", 0).await;
    assert_eq!(engine.host().operations().len(), 1);
    let now = shown(&engine, &made).await;
    assert_eq!(now["last_outcome"], "started");
    let runs = ok(plain(&engine, 1).get(&format!("/runs?schedule_id={}", id(&made))).await);
    assert_eq!((runs["items"].as_array().unwrap().len(), &runs["items"][0]["id"]), (1, &now["last_run_id"]));
    assert_eq!(runs["items"][0]["actor_name"], "User 1 (schedule nightly)");
    assert!(timer(&engine).unwrap().at.unwrap() > Utc::now(), "the next run is set");
}

#[tokio::test]
async fn the_host_s_clock_runs_it_every_hour() {
    let engine = fleet().start().await;
    scheduled(&engine, json!({ "selector": "tag:db" })).await;
    engine.run_jobs_until(Utc::now() + TimeDelta::minutes(61)).await.unwrap();
    assert_eq!(engine.host().operations().len(), 1);
    engine.task(&task_on(&engine, "db-1"), TaskState::Succeeded, result(0, "x")).await.unwrap();
}

#[tokio::test]
async fn an_overlapping_run_is_left_out_or_waits_its_turn() {
    let engine = fleet().start().await;
    let made = scheduled(&engine, json!({ "selector": "tag:db" })).await;
    ring(&engine, "ring-1", 0).await;
    ring(&engine, "ring-2", 0).await;
    assert_eq!(shown(&engine, &made).await["last_outcome"], "skipped_overlap");

    let engine = fleet().start().await;
    let made = scheduled(&engine, json!({ "selector": "tag:db", "overlap": "queue" })).await;
    for ring_id in ["ring-1", "ring-2", "ring-3"] {
        ring(&engine, ring_id, 0).await;
    }
    let waiting = shown(&engine, &made).await;
    assert_eq!((&waiting["last_outcome"], &waiting["waiting"]), (&json!("queued"), &json!(true)));
    assert_eq!(engine.host().operations().len(), 1);
    engine.task(&task_on(&engine, "db-1"), TaskState::Failed, result(1, "x")).await.unwrap();
    assert_eq!(engine.host().operations().len(), 2, "one waited, and begins now");
    assert_eq!(shown(&engine, &made).await["waiting"], false);
    engine.task(&task_on(&engine, "db-1"), TaskState::Succeeded, result(0, "x")).await.unwrap();
    assert_eq!(engine.host().operations().len(), 2);
}

#[tokio::test]
async fn a_missed_run_is_left_out_or_made_up_for_once() {
    let engine = fleet().start().await;
    let made = scheduled(&engine, json!({})).await;
    ring(&engine, "ring-1", 3_000).await;
    assert_eq!(shown(&engine, &made).await["last_outcome"], "skipped_missed");
    assert!(engine.host().operations().is_empty());

    let engine = fleet().start().await;
    let made = scheduled(&engine, json!({ "missed": "run_once" })).await;
    ring(&engine, "ring-1", 300_000).await;
    assert_eq!(shown(&engine, &made).await["last_outcome"], "started");
    assert!(timer(&engine).unwrap().at.unwrap() > Utc::now(), "older ones are not made up for");
}

#[tokio::test]
async fn a_selector_is_evaluated_at_each_run_within_the_owner_s_scope() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1).with_scope("tag:web");
    let made = script(&client, json!({})).await;
    let body = json!({
        "name": "n", "script_id": made["id"], "selector": "all", "rule": { "kind": "interval", "every_s": 60 },
    });
    ok(client.post("/schedules", &body).await);
    engine.host().add_machine(plugin_testing::payloads::machines::Machine {
        id: plugin_testing::FakeHost::machine_id("web-9"),
        name: "web-9".into(),
        tags: vec!["web".into()],
        ..Default::default()
    });
    ring(&engine, "ring-1", 0).await;
    assert_eq!(
        engine.host().operations().pop().unwrap().1.machines.len(),
        3,
        "web-9 is new, db-1 out of scope"
    );
}

#[tokio::test]
async fn a_schedule_that_cannot_start_says_why_and_goes_on() {
    let engine = fleet().start().await;
    let made = scheduled(&engine, json!({ "selector": "tag:gone" })).await;
    ring(&engine, "ring-1", 0).await;
    let now = shown(&engine, &made).await;
    assert!(now["last_outcome"].as_str().unwrap().contains("no_targets"), "{now}");
    assert_eq!(now["enabled"], true);
}

#[tokio::test]
async fn a_schedule_is_switched_off_and_on_and_removed() {
    let engine = fleet().start().await;
    let made = scheduled(&engine, json!({})).await;
    let (owner, other) = (plain(&engine, 1), plain(&engine, 2));
    let path = format!("/schedules/{}", id(&made));
    refused(&other.post(&format!("{path}/disable"), &json!({})).await, 404, "not_found");
    ok(owner.post(&format!("{path}/disable"), &json!({})).await);
    assert!(timer(&engine).is_none());
    engine.job("tick", json!(null)).await.unwrap();
    assert!(timer(&engine).is_none(), "a disabled schedule is not mended");
    ok(owner.post(&format!("{path}/enable"), &json!({})).await);
    assert!(timer(&engine).is_some());
    ok(owner.post(&format!("{path}/run"), &json!({})).await);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert!(timer(&engine).is_none());
    refused(&owner.get(&path).await, 404, "not_found");
    let actions = engine.host().audit_actions();
    for action in ["created", "disabled", "enabled", "deleted"] {
        assert!(actions.contains(&format!("automation.schedule.{action}")), "{actions:?}");
    }
}

#[tokio::test]
async fn the_next_runs_are_shown_before_saving() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let rule = json!({ "kind": "cron", "expression": "30 4 * * mon", "time_zone": "Europe/Berlin" });
    let preview = ok(client.post("/schedules/preview?count=3", &rule).await);
    assert_eq!(preview["next"].as_array().unwrap().len(), 3);
    for wrong in [
        json!({ "kind": "cron", "expression": "61 * * * *" }),
        json!({ "kind": "cron", "expression": "* * * * *", "time_zone": "Nowhere" }),
        json!({ "kind": "once", "at": "2001-01-01T00:00:00Z" }),
        json!({ "kind": "interval", "every_s": 1 }),
    ] {
        refused(&client.post("/schedules/preview", &wrong).await, 422, "invalid_field");
    }
    let made = scheduled(&engine, json!({})).await;
    assert_eq!(
        ok(client.get(&format!("/schedules/{}/preview", id(&made))).await)["next"].as_array().unwrap().len(),
        5
    );
    let replaced = json!({
        "name": "later", "script_id": made["script_id"], "selector": "all", "rule": rule, "enabled": false,
    });
    let shown = ok(client.put(&format!("/schedules/{}", id(&made)), &replaced).await);
    assert_eq!((&shown["name"], &shown["next_at"]), (&json!("later"), &json!(null)));
}

#[tokio::test]
async fn a_lost_timer_is_set_again() {
    let engine = fleet().start().await;
    scheduled(&engine, json!({})).await;
    let timer_before = timer(&engine).unwrap();
    // A one-off timer is gone once it was taken; here its call never came.
    plugin_sdk::sea_orm::ConnectionTrait::execute_unprepared(
        engine.db(),
        "UPDATE automation_schedules SET last_outcome = 'x'",
    )
    .await
    .unwrap();
    let _ = engine.job("run_schedule", json!({ "schedule_id": "nonsense" })).await;
    engine.job("tick", json!(null)).await.unwrap();
    assert_eq!(timer(&engine).unwrap().key, timer_before.key);
}
