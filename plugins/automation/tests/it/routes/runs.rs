//! Runs: frozen targets, values, states, cancel, retry.

use plugin_testing::{Body, payloads::operations::TaskState};
use serde_json::json;

use crate::world::{fleet, id, machine, ok, plain, refused, result, run, script, task_on};

#[tokio::test]
async fn a_run_reaches_the_host_with_frozen_targets_and_typed_values() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(
        &client,
        json!({ "parameters": [
            { "name": "greeting", "type": "text", "required": true },
            { "name": "times", "type": "integer", "min": 1, "max": 5, "default": 2 },
            { "name": "token", "type": "secret" },
        ]}),
    )
    .await;
    let inert = "$(reboot) `id` \"';\nrm -rf /";
    let body =
        json!({ "parameters": { "greeting": inert, "token": "deploy" }, "concurrency": 1, "timeout_s": 7 });
    let started = run(&client, &made, body).await;
    assert_eq!((&started["state"], &started["targets"]), (&json!("queued"), &json!(2)));
    assert_eq!(started["parameters"]["token"], json!({ "secret": "deploy" }));

    let (operation_id, operation) = engine.host().operations().pop().unwrap();
    assert_eq!(started["operation_id"], operation_id);
    assert_eq!(operation.command, "run_script");
    let mut machines = operation.machines.clone();
    machines.sort();
    let mut wanted = [machine("web-1"), machine("web-2")];
    wanted.sort();
    assert_eq!(machines, wanted);
    assert_eq!((operation.concurrency, operation.timeout_s), (1, 7));
    assert_eq!(operation.secrets, [("/parameters/2/value".to_owned(), "deploy".to_owned())]);
    let payload = &operation.payload;
    assert_eq!(payload["content"], "echo hello\n", "values are never pasted into the text");
    assert_eq!(payload["parameters"][0], json!({ "name": "greeting", "secret": false, "value": inert }));
    assert_eq!(payload["parameters"][1]["value"], "2");
    assert_eq!(payload.pointer("/parameters/2/value"), Some(&json!(null)), "the host fills it in, later");
    let told = format!("{:?} {:?}", engine.host().audits(), engine.host().events());
    assert!(!told.contains("hunter2"), "no secret's value is told");
    assert!(engine.host().secret_reads().is_empty());
}

#[tokio::test]
async fn wrong_values_are_refused_by_name_and_nothing_runs() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let parameters = json!([{ "name": "count", "type": "integer", "max": 3, "required": true }]);
    let made = script(&client, json!({ "parameters": parameters })).await;
    let path = format!("/scripts/{}/runs", id(&made));
    for (values, message) in [
        (json!({}), "required"),
        (json!({ "count": 4 }), "greater than 3"),
        (json!({ "count": "3" }), "whole number"),
        (json!({ "count": 1, "extra": 1 }), "no such parameter"),
    ] {
        let answer = client.post(&path, &json!({ "selector": "all", "parameters": values })).await;
        refused(&answer, 422, "parameter_invalid");
        let found = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(found.contains(message), "{found}");
    }
    for (body, code) in [
        (json!({ "parameters": { "count": 1 } }), "invalid_field"),
        (json!({ "selector": "tag:nothing", "parameters": { "count": 1 } }), "no_targets"),
        (json!({ "selector": "colour:red", "parameters": { "count": 1 } }), "invalid_selector"),
        (json!({ "machine_ids": [uuid(9)], "parameters": { "count": 1 } }), "machines_unknown"),
    ] {
        refused(&client.post(&path, &body).await, 422, code);
    }
    assert!(engine.host().operations().is_empty());
}

fn uuid(n: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{n:02x}")
}

#[tokio::test]
async fn nobody_runs_beyond_their_scope() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1).with_scope("tag:web");
    let made = script(&client, json!({})).await;
    let all = ok(client.post(&format!("/scripts/{}/runs", id(&made)), &json!({ "selector": "all" })).await);
    assert_eq!(all["targets"], 2);
    let named = json!({ "machine_ids": [machine("web-1"), machine("db-1")] });
    let answer = client.post(&format!("/scripts/{}/runs", id(&made)), &named).await;
    refused(&answer, 422, "machines_unknown");
    assert_eq!(answer.json()["machine_ids"], json!([machine("db-1")]));
    // Output of machines one does not reach is not shown either.
    ok(client.patch(&format!("/scripts/{}", id(&made)), &json!({ "sharing": { "with": "everyone" } })).await);
    let narrow = plain(&engine, 2).with_scope("tag:db");
    refused(&narrow.get(&format!("/runs/{}", id(&all))).await, 404, "not_found");
    assert_eq!(plain(&engine, 3).get(&format!("/runs/{}", id(&all))).await.status, 200);
}

#[tokio::test]
async fn the_same_key_never_makes_two_runs() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let path = format!("/scripts/{}/runs", id(&made));
    let headers = [("idempotency-key", "once")];
    let send = async |selector: &str| {
        client.send_with("POST", &path, &headers, Body::Json(json!({ "selector": selector }))).await
    };
    let first = send("all").await;
    let again = send("all").await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.json()["id"], again.json()["id"]);
    refused(&send("tag:web").await, 422, "idempotency_key_reused");
    assert_eq!(engine.host().operations().len(), 1);
}

#[tokio::test]
async fn states_follow_the_tasks_and_stay_apart() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({ "selector": "all" })).await;
    let path = format!("/runs/{}", id(&started));
    let state = async || ok(client.get(&path).await)["state"].clone();
    engine.task(&task_on(&engine, "web-1"), TaskState::Running, json!(null)).await.unwrap();
    assert_eq!(state().await, "running");
    // The agent reports an exit code as a result; what is in it counts, whatever the host made of it.
    engine.task(&task_on(&engine, "web-1"), TaskState::Succeeded, result(3, "x")).await.unwrap();
    engine.task(&task_on(&engine, "web-1"), TaskState::Running, json!(null)).await.unwrap();
    engine.task(&task_on(&engine, "web-2"), TaskState::NeverDispatched, json!(null)).await.unwrap();
    assert_eq!(state().await, "running");
    engine.task(&task_on(&engine, "db-1"), TaskState::Succeeded, result(0, "x")).await.unwrap();
    assert_eq!(state().await, "partly_failed");

    let counts = ok(client.get(&path).await)["counts"].clone();
    assert_eq!(
        counts,
        json!({ "queued": 0, "dispatched": 0, "running": 0, "succeeded": 1, "failed": 1, "timed_out": 0,
            "no_answer": 0, "never_dispatched": 1, "cancelled": 0 })
    );
    let failed = ok(client.get(&format!("{path}/results?state=failed")).await);
    assert_eq!(
        (&failed["items"][0]["machine_name"], &failed["items"][0]["exit_code"]),
        (&json!("web-1"), &json!(3))
    );
    let topics: Vec<_> = engine.host().events().into_iter().map(|e| e.topic).collect();
    assert_eq!(topics.iter().filter(|t| *t == "automation.run.finished").count(), 1);
    assert!(topics.contains(&"automation.run.started".to_owned()));
}

#[tokio::test]
async fn a_repeated_task_event_counts_once() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({})).await;
    for _ in 0..3 {
        engine.task(&task_on(&engine, "web-1"), TaskState::Succeeded, result(0, "x")).await.unwrap();
    }
    let counts = ok(client.get(&format!("/runs/{}", id(&started))).await)["counts"].clone();
    assert_eq!((&counts["succeeded"], &counts["queued"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn any_subset_can_be_run_again() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({ "selector": "all" })).await;
    let path = format!("/runs/{}/retry", id(&started));
    refused(&client.post(&path, &json!({})).await, 409, "run_not_ended");
    engine.task(&task_on(&engine, "web-1"), TaskState::Succeeded, result(0, "x")).await.unwrap();
    engine.task(&task_on(&engine, "web-2"), TaskState::TimedOut, json!(null)).await.unwrap();
    engine.task(&task_on(&engine, "db-1"), TaskState::NoAnswer, json!(null)).await.unwrap();
    // A newer version does not change what is retried.
    let second = json!({ "content": "echo new\n", "interpreter": "bash" });
    ok(client.post(&format!("/scripts/{}/versions", id(&made)), &second).await);

    refused(&client.post(&path, &json!({ "states": ["failed"] })).await, 409, "nothing_to_retry");
    refused(&client.post(&path, &json!({ "states": ["running"] })).await, 422, "invalid_field");
    let slow = ok(client.post(&path, &json!({ "states": ["timed_out"] })).await);
    assert_eq!(
        (&slow["targets"], &slow["version"], &slow["retry_of"]),
        (&json!(1), &json!(1), &started["id"])
    );
    assert_eq!(engine.host().operations().pop().unwrap().1.machines, [machine("web-2")]);
    assert_eq!(ok(client.post(&path, &json!({})).await)["targets"], 2, "by default all that did not succeed");
    let named = ok(client.post(&path, &json!({ "machine_ids": [machine("web-1")] })).await);
    assert_eq!(named["targets"], 1);
}

#[tokio::test]
async fn a_run_or_one_machine_of_it_is_cancelled() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({})).await;
    let path = format!("/runs/{}/cancel", id(&started));
    let one = ok(client.post(&path, &json!({ "machine_ids": [machine("web-1")] })).await);
    assert_eq!((&one["counts"]["cancelled"], &one["state"]), (&json!(1), &json!("running")));
    refused(&client.post(&path, &json!({ "machine_ids": [machine("db-1")] })).await, 422, "invalid_field");
    assert_eq!(ok(client.post(&path, &json!({})).await)["state"], "cancelled");
    refused(&client.post(&path, &json!({})).await, 409, "run_ended");
}

#[tokio::test]
async fn a_check_runs_nothing_and_needs_no_approval() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({ "privileged": true })).await;
    let checked = run(&client, &made, json!({ "check": true })).await;
    assert_eq!((&checked["state"], &checked["check"]), (&json!("queued"), &json!(true)));
    assert_eq!(engine.host().operations().pop().unwrap().1.command, "check_script");
}

#[tokio::test]
async fn the_history_is_filtered() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    run(&client, &made, json!({})).await;
    let other = run(&client, &made, json!({ "selector": "tag:db" })).await;
    engine.task(&task_on(&engine, "db-1"), TaskState::Failed, result(1, "x")).await.unwrap();
    for (query, count) in [
        (String::new(), 2),
        ("?state=failed".into(), 1),
        ("?state=failed,queued".into(), 2),
        (format!("?machine_id={}", machine("db-1")), 1),
        (format!("?script_id={}", id(&made)), 2),
        ("?since=2100-01-01T00:00:00Z".into(), 0),
        ("?limit=1".into(), 1),
    ] {
        let found = ok(client.get(&format!("/runs{query}")).await);
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(ok(client.get("/runs?state=failed").await)["items"][0]["id"], other["id"]);
    refused(&client.get("/runs?state=odd").await, 422, "invalid_field");
}
