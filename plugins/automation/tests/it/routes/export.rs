//! Exports, and what stays open when the licence lapses.

use plugin_testing::TestLicense;
use serde_json::{Value, json};

use crate::world::{fleet, id, plain, run, script};

#[tokio::test]
async fn everything_is_exported_as_lines_or_cells() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    run(&client, &made, json!({})).await;
    let scripts = client.get("/export/scripts").await;
    assert_eq!(scripts.header("content-type"), Some("application/x-ndjson"));
    let line: Value = serde_json::from_str(scripts.text().trim_end()).unwrap();
    assert_eq!(line["versions"][0]["content"], "echo hello\n");
    let csv = client.get("/export/scripts?format=csv").await.text();
    assert_eq!(csv.lines().count(), 2);
    assert!(csv.starts_with("id,name,") && csv.contains(",Greeter,"), "{csv}");
    let runs: Value = serde_json::from_str(client.get("/export/runs").await.text().trim_end()).unwrap();
    assert_eq!(runs["script_id"], made["id"]);
    assert_eq!(client.get("/export/runs?format=csv&state=failed").await.text().lines().count(), 1);
}

#[tokio::test]
async fn a_lapsed_licence_leaves_reading_and_exports_open() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    engine.set_license(TestLicense::Lapsed).await.unwrap();
    assert_eq!(client.get("/export/scripts").await.status, 200);
    assert_eq!(client.get(&format!("/scripts/{}", id(&made))).await.status, 200);
    let answer = client.post(&format!("/scripts/{}/runs", id(&made)), &json!({ "selector": "all" })).await;
    assert_eq!(answer.status, 402);
    assert!(engine.host().operations().is_empty());
    engine.set_license(TestLicense::Full).await.unwrap();
    run(&client, &made, json!({})).await;
}
