//! The routes that exist to be measured.

use example::Example;
use plugin_testing::{Body, TestEngine};

#[tokio::test]
async fn an_echo_streams_both_ways() {
    let engine = TestEngine::<Example>::start().await;
    let chunks = vec![vec![1; 70_000], vec![2; 10], vec![3; 100_000]];
    let whole = chunks.concat();
    let echoed = engine.client().send("POST", "/echo", Body::Chunks(chunks)).await;
    assert_eq!((echoed.status, echoed.body == whole), (200, true));
}

#[tokio::test]
async fn the_routes_to_measure_answer() {
    let engine = TestEngine::<Example>::start().await;
    let client = engine.client();
    assert_eq!(client.get("/ping").await.text(), "pong");
    assert_eq!(client.send("POST", "/bench/sql/insert/20", Body::Empty).await.json(), 20);
    assert_eq!(client.get("/bench/sql/one").await.json(), 0);
    assert_eq!(client.get("/bench/sql/rows/10").await.json(), 0);
}
