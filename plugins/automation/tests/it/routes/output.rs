//! Output: in pieces, live, and grouped by identical text.

use std::time::Duration;

use plugin_testing::{TestResponse, payloads::operations::TaskState};
use serde_json::{Value, json};

use crate::world::{fleet, id, machine, ok, plain, refused, result, run, script, task_on};

/// Read events until one of a kind.
async fn until(stream: &mut TestResponse, text: &mut String, event: &str) {
    let wanted = format!("event: {event}\n");
    let reading = async {
        while !text.contains(&wanted) {
            let chunk = stream.next_chunk().await.expect("the stream goes on").unwrap();
            text.push_str(&String::from_utf8(chunk).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap();
}

#[tokio::test]
async fn output_is_followed_live_until_the_run_ends() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({})).await;
    let mut stream = client.get(&format!("/runs/{}/output/stream", id(&started))).await;
    assert_eq!((stream.status, stream.header("content-type")), (200, Some("text/event-stream")));
    let mut text = String::new();
    until(&mut stream, &mut text, "state").await;

    let task = task_on(&engine, "web-1");
    engine.task(&task, TaskState::Running, Value::Null).await.unwrap();
    engine.host().push_output(&task, "stdout", "héllo".as_bytes());
    until(&mut stream, &mut text, "output").await;
    assert!(text.contains(r#""text":"héllo""#) && text.contains("web-1"), "{text}");
    engine.task(&task, TaskState::Succeeded, result(0, "héllo")).await.unwrap();
    engine.task(&task_on(&engine, "web-2"), TaskState::Failed, result(2, "")).await.unwrap();
    until(&mut stream, &mut text, "end").await;
    assert!(text.contains(r#""state":"partly_failed""#), "{text}");
    assert!(stream.next_chunk().await.is_none(), "the stream ends");
}

#[tokio::test]
async fn one_machine_is_resumed_where_it_broke_off() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({})).await;
    let task = task_on(&engine, "web-1");
    for line in ["one", "two", "three"] {
        engine.host().push_output(&task, "stdout", line.as_bytes());
    }
    engine.task(&task, TaskState::Succeeded, result(0, "x")).await.unwrap();
    let path = format!("/runs/{}/output/stream?machine_id={}&after=1", id(&started), machine("web-1"));
    let mut stream = client.get(&path).await;
    let mut text = String::new();
    until(&mut stream, &mut text, "end").await;
    assert!(!text.contains("one") && text.contains("id: 2\n") && text.contains("three"), "{text}");

    let part = ok(client.get(&format!("/runs/{}/results/{}/output", id(&started), machine("web-1"))).await);
    let lines: Vec<_> = part["pieces"].as_array().unwrap().iter().map(|p| p["text"].clone()).collect();
    assert_eq!(lines, ["one", "two", "three"]);
    assert_eq!((&part["next_after"], &part["complete"]), (&json!(3), &json!(true)));
    let absent = format!("/runs/{}/results/{}/output", id(&started), machine("db-1"));
    refused(&client.get(&absent).await, 404, "not_found");
}

#[tokio::test]
async fn identical_output_is_one_group() {
    let engine = fleet().debian("web-3", &["web"]).start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let started = run(&client, &made, json!({})).await;
    for (name, state, output) in [
        ("web-1", TaskState::Succeeded, Some("same")),
        ("web-2", TaskState::Succeeded, Some("same")),
        ("web-3", TaskState::NoAnswer, None),
    ] {
        let task = task_on(&engine, name);
        if let Some(output) = output {
            engine.host().push_output(&task, "stdout", output.as_bytes());
        }
        let value = output.map_or(Value::Null, |o| result(0, o));
        engine.task(&task, state, value).await.unwrap();
    }
    let groups = ok(client.get(&format!("/runs/{}/groups", id(&started))).await);
    assert_eq!(groups.as_array().unwrap().len(), 2);
    assert_eq!((&groups[0]["count"], &groups[0]["sample"]), (&json!(2), &json!("same")));
    assert_eq!(groups[0]["machines"].as_array().unwrap().len(), 2);
    assert_eq!((&groups[1]["count"], &groups[1]["state"]), (&json!(1), &json!("no_answer")));
    let digest = groups[0]["digest"].as_str().unwrap();
    let members = ok(client.get(&format!("/runs/{}/results?digest={digest}", id(&started))).await);
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
}
