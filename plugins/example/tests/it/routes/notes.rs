//! Notes over HTTP.

use example::Example;
use plugin_testing::{TestEngine, TestLicense};
use serde_json::json;

#[tokio::test]
async fn a_note_is_created_read_changed_and_deleted() {
    let engine = TestEngine::<Example>::start().await;
    let client = engine.client();
    let created = client.post("/notes", &json!({ "title": "Milk 🥛", "body": "two \"litres\"" })).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let note = created.json();
    let uri = format!("/notes/{}", note["id"].as_str().unwrap());
    assert_eq!(client.get(&uri).await.json(), note);
    let changed = client.put(&uri, &json!({ "title": "Milk", "done": true })).await.json();
    assert_eq!(changed["done"], true);
    assert_eq!(changed["created_at"], note["created_at"]);
    assert_eq!(client.delete(&uri).await.status, 204);
    assert_eq!(client.get(&uri).await.code().unwrap(), "not_found");
    let actions = ["example.note.created", "example.note.updated", "example.note.deleted"];
    assert_eq!(engine.host().audit_actions(), actions);
    assert_eq!(engine.host().events().len(), 3);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let engine = TestEngine::<Example>::start().await;
    let client = engine.client();
    for n in 0..5 {
        assert_eq!(client.post("/notes", &json!({ "title": format!("n{n}") })).await.status, 201);
    }
    let mut titles = Vec::new();
    let mut uri = "/notes?limit=2".to_owned();
    loop {
        let page = client.get(&uri).await.json();
        assert_eq!(page["total"], 5);
        for note in page["notes"].as_array().unwrap() {
            titles.push(note["title"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => uri = format!("/notes?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(titles, ["n0", "n1", "n2", "n3", "n4"]);
}

#[tokio::test]
async fn a_title_twice_is_a_conflict() {
    let engine = TestEngine::<Example>::start().await;
    let client = engine.client();
    assert_eq!(client.post("/notes", &json!({ "title": "Milk" })).await.status, 201);
    let again = client.post("/notes", &json!({ "title": "Milk" })).await;
    assert_eq!((again.status, again.code().unwrap().as_str()), (409, "title_taken"));
}

#[tokio::test]
async fn reading_is_not_writing() {
    let engine = TestEngine::<Example>::start().await;
    let reader = engine.client_with(&["example:notes:read"]);
    let refused = reader.post("/notes", &json!({ "title": "Milk" })).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["permission"], "example:notes:write");
    assert_eq!(refused.json()["request_id"], refused.request_id);
}

#[tokio::test]
async fn a_lapsed_licence_leaves_reading_and_export() {
    let engine = TestEngine::<Example>::start().await;
    let client = engine.client();
    client.post("/notes", &json!({ "title": "Milk" })).await;
    engine.set_license(TestLicense::Lapsed).await.unwrap();
    assert_eq!(client.get("/notes/export").await.text().lines().count(), 1);
    let refused = client.post("/notes", &json!({ "title": "Eggs" })).await;
    assert_eq!((refused.status, refused.json()["reason"].as_str()), (402, Some("expired")));
    engine.set_license(TestLicense::None).await.unwrap();
    assert_eq!(client.get("/notes").await.json()["reason"], "no_license");
    engine.set_license(TestLicense::Full).await.unwrap();
    assert_eq!(client.get("/notes").await.json()["total"], 1);
}
