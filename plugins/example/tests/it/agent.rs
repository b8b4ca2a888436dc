//! The half that runs on machines.

use example::Example;
use plugin_testing::{TestAgent, TestLicense};
use serde_json::{Value, json};

#[tokio::test]
async fn a_greeting_streams_its_lines() {
    let agent = TestAgent::<Example>::start().await;
    let mut running = agent.begin("greet", &json!({ "name": "world", "times": 3 }));
    assert_eq!(running.result::<Value>().await.unwrap(), json!({ "lines": 3 }));
    assert_eq!(running.stdout(), "Hello world\n".repeat(3));
    assert_eq!(running.progress().last().unwrap().0, 3);
}

#[tokio::test]
async fn a_cancelled_greeting_stops() {
    let agent = TestAgent::<Example>::start().await;
    let mut running = agent.begin("greet", &json!({ "name": "world", "times": 10, "pause_ms": 60_000 }));
    running.wait_for_stdout("Hello").await;
    running.cancel();
    assert_eq!(running.result::<Value>().await.unwrap_err().code, "cancelled");
    assert_eq!(running.stdout(), "Hello world\n");
}

#[tokio::test]
async fn a_bad_payload_and_an_unknown_command_are_errors() {
    let agent = TestAgent::<Example>::start().await;
    let bad = agent.run::<_, Value>("greet", &json!({ "nom": 1 })).await.unwrap_err();
    assert_eq!(bad.code, "bad_payload");
    let unknown = agent.run::<_, Value>("dance", &json!({})).await.unwrap_err();
    assert_eq!(unknown.code, "unknown_method");
}

#[tokio::test]
async fn without_a_licence_no_command_runs() {
    let agent = TestAgent::<Example>::start_with(TestLicense::Lapsed).await;
    let refused = agent.run::<_, Value>("greet", &json!({ "name": "world" })).await.unwrap_err();
    assert_eq!(refused.code, "license_required");
}
