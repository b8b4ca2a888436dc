//! The library.

use serde_json::json;

use crate::world::{Engine, fleet, id, ok, plain, refused, script, user};

#[tokio::test]
async fn a_script_keeps_every_version_as_it_was() {
    let engine = Engine::start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let versions = format!("/scripts/{}/versions", id(&made));
    let first = ok(client.get(&format!("{versions}/1")).await);
    assert_eq!(first["content"], "echo hello\n");
    assert_eq!(first["sha256"].as_str().unwrap().len(), 64);

    let second = json!({ "content": "echo bye\n", "interpreter": "bash", "timeout_s": 9, "note": "leave" });
    assert_eq!(client.post(&versions, &second).await.status, 201);
    refused(&client.post(&versions, &second).await, 409, "same_version");
    assert_eq!(ok(client.get(&format!("{versions}/1")).await), first);
    let shown = ok(client.get(&format!("/scripts/{}", id(&made))).await);
    assert_eq!((&shown["latest_version"], &shown["tags"]), (&json!(2), &json!(["demo"])));

    let diff = ok(client.get(&format!("/scripts/{}/diff?from=1&to=2", id(&made))).await);
    let text = diff["content"].as_str().unwrap();
    assert!(text.contains("-echo hello\n+echo bye\n"), "{text}");
    assert_eq!(diff["fields"], json!({ "timeout_s": [0, 9] }));
    let history = ok(client.get(&format!("/scripts/{}/history", id(&made))).await);
    let actions: Vec<_> = history["items"].as_array().unwrap().iter().map(|c| c["action"].clone()).collect();
    assert_eq!(actions, ["version_added", "created"]);
    assert_eq!(
        engine.host().audit_actions(),
        ["automation.script.created", "automation.script.version_added"]
    );
}

#[tokio::test]
async fn a_private_script_does_not_exist_for_others_until_it_is_shared() {
    let engine = Engine::start().await;
    let (owner, other) = (plain(&engine, 1), plain(&engine, 2));
    let made = script(&owner, json!({})).await;
    let path = format!("/scripts/{}", id(&made));
    refused(&other.get(&path).await, 404, "not_found");
    assert_eq!(ok(other.get("/scripts").await)["items"], json!([]));
    assert_eq!(user(&engine, 3).get(&path).await.status, 200, "whoever manages scripts sees all");

    let with = |users: &[&str], roles: &[&str]| json!({ "sharing": { "with": "some", "users": users, "roles": roles } });
    let principal = other.context.principal();
    ok(owner.patch(&path, &with(&[&principal], &[])).await);
    assert_eq!(ok(other.get("/scripts").await)["items"][0]["id"], made["id"]);
    refused(&other.patch(&path, &json!({ "name": "Mine" })).await, 403, "not_owner");

    ok(owner.patch(&path, &with(&[], &["operator"])).await);
    refused(&other.get(&path).await, 404, "not_found");
    let mut operator = other.clone();
    operator.context.roles.insert("operator".into());
    assert_eq!(operator.get(&path).await.status, 200);

    ok(owner.patch(&path, &json!({ "sharing": { "with": "everyone" } })).await);
    assert_eq!(other.get(&path).await.status, 200);
    let wrong = json!({ "sharing": { "with": "some", "users": ["bob"] } });
    refused(&owner.patch(&path, &wrong).await, 422, "invalid_field");
}

#[tokio::test]
async fn a_script_can_be_given_to_another_user() {
    let engine = Engine::start().await;
    let (owner, other, manager) = (plain(&engine, 1), plain(&engine, 2), user(&engine, 3));
    let made = script(&owner, json!({})).await;
    let path = format!("/scripts/{}/transfer", id(&made));
    let to = json!({ "owner": other.context.principal(), "owner_name": "User 2" });
    refused(&owner.post(&path, &to).await, 403, "permission_denied");
    ok(manager.post(&path, &to).await);
    refused(&owner.get(&format!("/scripts/{}", id(&made))).await, 404, "not_found");
    assert_eq!(ok(other.get(&format!("/scripts/{}", id(&made))).await)["owner_name"], "User 2");
}

#[tokio::test]
async fn an_archived_script_neither_runs_nor_changes() {
    let engine = fleet().start().await;
    let client = plain(&engine, 1);
    let made = script(&client, json!({})).await;
    let path = format!("/scripts/{}", id(&made));
    ok(client.post(&format!("{path}/archive"), &json!({})).await);
    let run = json!({ "selector": "all" });
    refused(&client.post(&format!("{path}/runs"), &run).await, 409, "script_archived");
    refused(&client.patch(&path, &json!({ "name": "x" })).await, 409, "script_archived");
    assert_eq!(ok(client.get("/scripts?archived=false").await)["items"], json!([]));
    ok(client.post(&format!("{path}/restore"), &json!({})).await);
    assert_eq!(client.post(&format!("{path}/runs"), &run).await.status, 201);
}

#[tokio::test]
async fn lists_come_in_pages_and_can_be_filtered() {
    let engine = Engine::start().await;
    let client = plain(&engine, 1);
    for name in ["Reboot", "Renew 100%_certain", "Report"] {
        let version = json!({ "content": "true", "interpreter": "sh" });
        let new = json!({ "name": name, "tags": [name.split(' ').next()], "version": version });
        assert_eq!(client.post("/scripts", &new).await.status, 201);
    }
    let mut seen = Vec::new();
    let mut path = "/scripts?limit=2".to_owned();
    loop {
        let page = ok(client.get(&path).await);
        seen.extend(page["items"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/scripts?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["Report", "Renew 100%_certain", "Reboot"]);
    for (query, count) in
        [("q=RE", 3), ("q=100%25_", 1), ("q=___", 0), ("tag=reboot", 1), ("interpreter=bash", 0)]
    {
        let found = ok(client.get(&format!("/scripts?{query}")).await);
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_script_is_said() {
    let engine = Engine::start().await;
    let client = plain(&engine, 1);
    let post = async |version| client.post("/scripts", &json!({ "name": "x", "version": version })).await;
    let wrong = post(json!({ "content": "x", "interpreter": "bash", "parameters": [
        { "name": "2x", "type": "text" }, { "name": "a", "type": "text", "pattern": "(" },
    ]}))
    .await;
    refused(&wrong, 422, "parameter_invalid");
    let errors = wrong.json()["errors"].clone();
    assert_eq!((&errors[0]["parameter"], &errors[1]["parameter"]), (&json!("2x"), &json!("a")));
    for (version, field) in [
        (json!({ "content": "", "interpreter": "bash" }), "content"),
        (json!({ "content": "a\0b", "interpreter": "bash" }), "content"),
        (json!({ "content": "x".repeat(256 * 1024 + 1), "interpreter": "bash" }), "content"),
        (json!({ "content": "x", "interpreter": "cmd", "passing": "arguments" }), "passing"),
        (json!({ "content": "x", "interpreter": "bash", "run_as": "-x" }), "run_as"),
        (json!({ "content": "x", "interpreter": "bash", "working_directory": "tmp" }), "working_directory"),
        (json!({ "content": "x", "interpreter": "bash", "timeout_s": 90_000 }), "timeout_s"),
    ] {
        let answer = post(version).await;
        refused(&answer, 422, "invalid_field");
        assert_eq!(answer.json()["field"], field);
    }
    refused(&post(json!({ "content": "x", "interpreter": "perl" })).await, 422, "bad_request");
}

#[tokio::test]
async fn each_route_asks_for_its_permission() {
    let engine = Engine::start().await;
    let reader = engine.client_with(&["automation:scripts:read"]);
    let new = json!({ "name": "x", "version": { "content": "x", "interpreter": "sh" } });
    let answer = reader.post("/scripts", &new).await;
    refused(&answer, 403, "permission_denied");
    assert_eq!(answer.json()["permission"], "automation:scripts:write");
    refused(&reader.get("/runs").await, 403, "permission_denied");
    assert_eq!(reader.get("/scripts").await.status, 200);
}
