//! Advisories and floors: written by the vendor, read by everybody, and in what hosts believe.

use reqwest::Method;
use serde_json::{Value, json};
use trust::{EngineStanding, TrustStore};

use crate::portal::TestPortal;

const VENDOR: &str = "/api/v1/vendor/advisories";

fn says(title: &str) -> Value {
    json!({
        "engine": "pro", "versions": ">=1.0.0, <1.2.0", "severity": "high", "title": title,
        "detail": "It <b>loses</b> data.\n\n- Update.\n- See [here](https://example.org).", "fixed_in": "1.2.0",
    })
}

async fn shop() -> (TestPortal, String) {
    let portal = TestPortal::start().await;
    portal.publish("pro", "1.0.0", "professional").await;
    let staff = portal.staff("vera").await;
    (portal, staff)
}

#[tokio::test]
async fn an_advisory_is_published_changed_and_withdrawn() {
    let (portal, staff) = shop().await;
    let made = portal.post(VENDOR, &staff, says("It loses data")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("SMA-20") && id.ends_with("-0001"), "{id}");
    let public = portal.get("/api/v1/advisories?engine=pro", "").await;
    assert_eq!(
        (&public.body["items"][0]["id"], &public.body["items"][0]["severity"]),
        (&json!(id), &json!("high"))
    );
    let page = portal.get("/engines/pro", "").await.text;
    assert!(page.contains("It loses data") && page.contains("&lt;b&gt;loses") && !page.contains("<b>loses"));
    let changed =
        portal.call(Method::PUT, &format!("{VENDOR}/{id}"), &staff, says("It loses much data")).await;
    assert_eq!((changed.status.as_u16(), &changed.body["title"]), (200, &json!("It loses much data")));
    assert_eq!(changed.body["published_at"], made.body["published_at"]);
    let second = portal.post(VENDOR, &staff, says("Another")).await;
    assert!(second.body["id"].as_str().unwrap().ends_with("-0002"));
    let path = format!("{VENDOR}/{id}/withdraw");
    assert_eq!(portal.post(&path, &staff, Value::Null).await.status, 200);
    portal.post(&path, &staff, Value::Null).await.problem(409, "withdrawn");
    let again = portal.call(Method::PUT, &format!("{VENDOR}/{id}"), &staff, says("x")).await;
    again.problem(409, "withdrawn");
    let public = portal.get("/api/v1/advisories", "").await;
    assert_eq!(public.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(portal.get(VENDOR, &staff).await.body["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_makes_no_sense_is_not_published() {
    let (portal, staff) = shop().await;
    for (field, value) in [
        ("engine", json!("unknown")),
        ("title", json!(" ")),
        ("detail", json!("x".repeat(10_001))),
        ("fixed_in", json!("1.1.0")),
    ] {
        let mut body = says("It loses data");
        body[field] = value;
        let refused = portal.post(VENDOR, &staff, body).await;
        refused.problem(422, "invalid");
        assert_eq!(refused.body["field"], field);
    }
    let mut body = says("x");
    body["severity"] = json!("awful");
    assert_eq!(portal.post(VENDOR, &staff, body).await.status, 422);
}

#[tokio::test]
async fn a_floor_is_in_the_list_that_hosts_obey() {
    let (portal, staff) = shop().await;
    assert_eq!(portal.get("/api/v1/revocations", "").await.status, 204);
    let path = "/api/v1/vendor/floors/pro";
    let set = portal.call(Method::PUT, path, &staff, json!({"version": "1.1.0"})).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let mut store = TrustStore::built_in();
    store.apply_revocations(&portal.get("/api/v1/revocations", "").await.text).unwrap();
    let standing =
        |store: &TrustStore, version: &str| store.revocations().engine("pro", &version.parse().unwrap());
    assert!(matches!(standing(&store, "1.0.0"), EngineStanding::BelowLowestGood { .. }));
    assert_eq!(standing(&store, "1.1.0"), EngineStanding::Good);
    let floors = portal.get("/api/v1/floors", "").await;
    assert_eq!(floors.body["items"][0]["version"], "1.1.0");
    // Taken away again: a newer list, without it.
    assert_eq!(portal.call(Method::DELETE, path, &staff, Value::Null).await.status, 204);
    portal.call(Method::DELETE, path, &staff, Value::Null).await.problem(404, "not_found");
    let applied = store.apply_revocations(&portal.get("/api/v1/revocations", "").await.text);
    assert_eq!(applied, Ok(trust::Applied::Replaced));
    assert_eq!(standing(&store, "1.0.0"), EngineStanding::Good);
    let unknown =
        portal.call(Method::PUT, "/api/v1/vendor/floors/nothing", &staff, json!({"version": "1.0.0"})).await;
    unknown.problem(422, "invalid");
}

#[tokio::test]
async fn the_documents_for_hosts_say_the_same_and_are_the_same_bytes() {
    let (portal, staff) = shop().await;
    let advisories = &portal.portal.app.advisories;
    let empty = advisories.documents().await.unwrap();
    assert_eq!((empty.advisories.as_slice(), empty.floors.as_slice()), (&b"[]"[..], &b"{}"[..]));
    let made = portal.post(VENDOR, &staff, says("It loses data")).await;
    portal.post(VENDOR, &staff, says("Another")).await;
    portal.call(Method::PUT, "/api/v1/vendor/floors/pro", &staff, json!({"version": "1.1.0"})).await;
    let documents = advisories.documents().await.unwrap();
    assert_eq!(documents, advisories.documents().await.unwrap());
    let list: Value = serde_json::from_slice(&documents.advisories).unwrap();
    let mut keys: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    keys.sort();
    let expected = ["detail", "engine", "fixed_in", "id", "published_at", "severity", "title", "versions"];
    assert_eq!(keys, expected);
    assert_eq!(list[0]["id"], made.body["id"]);
    assert_eq!(serde_json::from_slice::<Value>(&documents.floors).unwrap(), json!({"pro": "1.1.0"}));
}

#[tokio::test]
async fn the_vendors_page_writes_them_too() {
    let (portal, staff) = shop().await;
    let fields = [
        ("engine", "pro"),
        ("versions", "<1.2.0"),
        ("severity", "critical"),
        ("title", "A \"title\""),
        ("detail", "Text"),
        ("fixed_in", ""),
    ];
    let made = portal.form("/vendor/advisories", &staff, &fields).await;
    assert_eq!((made.status.as_u16(), made.location()), (303, "/vendor/advisories"), "{}", made.text);
    let page = portal.get("/vendor/advisories", &staff).await.text;
    assert!(page.contains("A &quot;title&quot;"), "{page}");
    let id = portal.get("/api/v1/advisories", "").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let edit = portal.get(&format!("/vendor/advisories/{id}"), &staff).await;
    assert!(edit.text.contains("value=\"critical\" selected"), "{}", edit.text);
    let mut wrong = fields;
    wrong[1].1 = "sometimes";
    let refused = portal.form("/vendor/advisories", &staff, &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Versions such as"), "{}", refused.text);
    let floor = portal.form("/vendor/floors", &staff, &[("engine", "pro"), ("version", "1.0.0")]).await;
    assert_eq!(floor.status, 303);
    assert_eq!(portal.form("/vendor/floors/pro/remove", &staff, &[]).await.status, 303);
    assert_eq!(portal.form(&format!("/vendor/advisories/{id}/withdraw"), &staff, &[]).await.status, 303);
}
