//! The SDK survives what an engine does to it, as far as a process can.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use misbehaving::{ATTEMPTS, Misbehaving};
use plugin_testing::{Body, TestAgent, TestEngine, payloads::events::Event};
use serde_json::{Value, json};

async fn post(engine: &TestEngine<Misbehaving>, uri: &str) -> plugin_testing::TestResponse {
    engine.client().send("POST", uri, Body::Empty).await
}

#[tokio::test]
async fn a_panic_costs_one_request_and_is_logged_with_its_place() {
    let engine = TestEngine::<Misbehaving>::start().await;
    let answer = post(&engine, "/panic").await;
    assert_eq!((answer.status, answer.code().unwrap().as_str()), (500, "engine_panicked"));
    assert_eq!(answer.json()["request_id"], answer.request_id);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert!(!answer.text().contains("a handler panics"), "what panicked stays in the log");
    assert!(engine.log().contains("a handler panics"));
    assert!(engine.log().contains("routes.rs:"));
    assert_eq!(engine.client().get("/ok").await.text(), "ok");
}

#[tokio::test]
async fn a_panic_in_a_body_ends_it_with_an_error() {
    let engine = TestEngine::<Misbehaving>::start().await;
    let answer = post(&engine, "/panic/stream").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "first"));
    assert_eq!(answer.body_error.unwrap().code, "engine_panicked");
}

#[tokio::test]
async fn a_panicking_destructor_of_a_cancelled_request_hurts_nobody() {
    let engine = TestEngine::<Misbehaving>::start().await;
    // Polled once, which brings the handler to its wait; then dropped.
    let cancelled = tokio::time::timeout(Duration::ZERO, post(&engine, "/panic/drop")).await;
    assert!(cancelled.is_err());
    assert!(engine.log().contains("a destructor panics"));
    assert_eq!(post(&engine, "/panic/drop").await.code().unwrap(), "engine_panicked");
    assert_eq!(engine.client().get("/ok").await.status, 200);
}

#[tokio::test]
async fn tasks_of_the_private_runtime_work_and_may_panic() {
    let engine = TestEngine::<Misbehaving>::start().await;
    assert_eq!(post(&engine, "/panic/task").await.text(), "panicked: true");
    assert!(engine.log().contains("a task panics"));
}

#[test]
fn timers_work_although_the_caller_has_no_runtime() {
    // Start needs the test's runtime; the request is polled by something else.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = runtime.block_on(TestEngine::<Misbehaving>::start());
    let answer =
        std::thread::scope(|scope| scope.spawn(|| block_on(post(&engine, "/panic/task"))).join().unwrap());
    assert_eq!(answer.text(), "panicked: true");
    runtime.block_on(async { drop(engine) });
}

/// Polls by parking the thread: no runtime at all.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(value) =
            future.as_mut().poll(&mut std::task::Context::from_waker(&waker))
        {
            return value;
        }
        std::thread::park();
    }
}

#[tokio::test]
async fn panics_in_jobs_and_events_are_errors() {
    let engine = TestEngine::<Misbehaving>::start().await;
    assert_eq!(engine.job("panic", Value::Null).await.unwrap_err().code, "engine_panicked");
    let event = Event { topic: "misbehave.panic".into(), ..Event::default() };
    assert_eq!(engine.event(&event).await.unwrap_err().code, "engine_panicked");
    assert!(engine.health().await.unwrap().healthy);
}

#[tokio::test]
async fn every_attempt_on_foreign_tables_is_refused() {
    let engine = TestEngine::<Misbehaving>::start().await;
    for sql in ATTEMPTS {
        for query in [true, false] {
            let answer = engine.client().post("/sql", &json!({ "sql": sql, "query": query })).await;
            assert_eq!(answer.status, 422, "{sql}: {}", answer.text());
        }
    }
    let own = json!({ "sql": "INSERT INTO misbehaving_things (id, text) VALUES (1, 'mine')" });
    assert_eq!(engine.client().post("/sql", &own).await.json(), 1);
}

#[tokio::test]
async fn a_panicking_command_is_an_error_and_the_half_lives_on() {
    let agent = TestAgent::<Misbehaving>::start().await;
    for _ in 0..2 {
        let mut running = agent.begin("panic", &Value::Null);
        assert_eq!(running.result::<Value>().await.unwrap_err().code, "engine_panicked");
        assert_eq!(running.stdout(), "about to panic\n");
    }
}

#[tokio::test]
async fn a_description_agrees_with_its_manifest() {
    let manifest = plugin_sdk::export::manifest::<Misbehaving>().unwrap();
    let description = plugin_sdk::export::description::<Misbehaving>().unwrap();
    assert_eq!((manifest.id, manifest.commands.len()), (description.id, description.commands.len()));
}
