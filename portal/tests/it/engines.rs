//! Engine pages: pictures, notes, compatibility, what is asked for; and the vendor's figures.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::portal::{Answer, TARGET, TestPortal, send};

/// The head of a picture, which is all that is looked at.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0]);
    bytes
}

async fn add(portal: &TestPortal, staff: &str, engine: &str, bytes: Vec<u8>) -> Answer {
    let path = format!("/api/v1/vendor/engines/{engine}/screenshots?caption=The%20%3Cb%3Elist");
    send(portal.request(Method::POST, &path, staff).body(bytes)).await
}

async fn shop() -> (TestPortal, String) {
    let portal = TestPortal::start().await;
    portal.publish("pro", "1.0.0", "professional").await;
    let staff = portal.staff("vera").await;
    (portal, staff)
}

#[tokio::test]
async fn a_picture_is_kept_by_digest_and_cached_for_long() {
    let (portal, staff) = shop().await;
    let added = add(&portal, &staff, "pro", png(1280, 800)).await;
    assert_eq!(added.status, 201, "{}", added.text);
    let sha256 = added.body["sha256"].as_str().unwrap().to_owned();
    let image = portal.get(&format!("/images/{sha256}"), "").await;
    assert_eq!(image.status, 200);
    assert_eq!(image.headers["content-type"], "image/png");
    assert_eq!(image.headers["x-content-type-options"], "nosniff");
    assert_eq!(image.headers["cache-control"], "public, max-age=31536000, immutable");
    let known = portal.request(Method::GET, &format!("/images/{sha256}"), "");
    let known = send(known.header("if-none-match", format!("\"{sha256}\""))).await;
    assert_eq!((known.status, known.text.len()), (StatusCode::NOT_MODIFIED, 0));
    let page = portal.get("/engines/pro", "").await.text;
    assert!(page.contains(&format!("src=\"/images/{sha256}\" alt=\"The &lt;b&gt;list\"")), "{page}");
    assert!(page.contains("width=\"1280\" height=\"800\""));
    assert!(portal.get("/", "").await.text.contains(&sha256));
    // The same picture again has another caption at most.
    add(&portal, &staff, "pro", png(1280, 800)).await;
    let list = portal.get("/api/v1/engines/pro/screenshots", "").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/vendor/engines/pro/screenshots/{sha256}");
    assert_eq!(portal.call(Method::DELETE, &path, &staff, Value::Null).await.status, 204);
    portal.call(Method::DELETE, &path, &staff, Value::Null).await.problem(404, "not_found");
    // What no engine shows is not given out, though the bytes are there.
    assert_eq!(portal.get(&format!("/images/{sha256}"), "").await.status, 404);
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let (portal, staff) = shop().await;
    for bytes in [b"<svg onload=alert(1)>".to_vec(), b"GIF89a".to_vec(), Vec::new(), png(9000, 10)] {
        add(&portal, &staff, "pro", bytes).await.problem(422, "invalid");
    }
    let mut large = png(100, 100);
    large.resize(2 * 1024 * 1024 + 1, 0);
    add(&portal, &staff, "pro", large).await.problem(413, "body_too_large");
    add(&portal, &staff, "unknown", png(10, 10)).await.problem(404, "not_found");
    for n in 1..=8 {
        assert_eq!(add(&portal, &staff, "pro", png(n, 10)).await.status, 201);
    }
    add(&portal, &staff, "pro", png(9, 10)).await.problem(422, "invalid");
    for path in ["/images/..%2f..%2fportal.db", "/images/none"] {
        assert_eq!(portal.get(path, "").await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_engines_page_says_what_runs_where_and_what_it_asks_for() {
    let (portal, staff) = shop().await;
    portal.publish("pro", "1.1.0", "professional").await;
    let path = "/api/v1/vendor/releases/pro/1.1.0/yank";
    assert_eq!(portal.post(path, &staff, json!({"reason": "It <i>fails"})).await.status, 204);
    let page = portal.get("/engines/pro", "").await.text;
    for part in [
        "An engine &lt;b&gt;to test",
        "<h3>Notes</h3>",
        TARGET,
        "<th>Host</th><th>Agent</th>",
        "Withdrawn",
        "It &lt;i&gt;fails",
        "<h2>What it asks for</h2>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let releases = portal.get("/api/v1/engines/pro/releases", "").await;
    assert!(releases.body["items"][0]["asks"]["services"].is_array(), "{}", releases.text);
}

#[tokio::test]
async fn downloads_are_counted_by_day_and_not_by_part() {
    let (portal, staff) = shop().await;
    let customer = portal.customer("marta").await;
    portal.buy(&customer, "professional-month", 1).await;
    let path = format!("/api/v1/organisations/{}/engines/pro/1.0.0/{TARGET}", customer.org);
    assert_eq!(portal.get(&path, &customer.cookie).await.status, 200);
    let part = portal.request(Method::GET, &path, &customer.cookie).header("range", "bytes=10-20");
    assert_eq!(send(part).await.status, 206);
    portal.get(&path, "").await.problem(401, "unauthenticated");
    portal.clock.advance(Duration::hours(11));
    let day = portal.now().date_naive().to_string();
    let all = futures_util::future::join_all((0..4).map(|_| portal.get(&path, &customer.cookie))).await;
    assert!(all.iter().all(|answer| answer.status == 200));
    let told = portal.get("/api/v1/vendor/downloads", &staff).await;
    let items = told.body["items"].as_array().unwrap();
    let sum: i64 = items.iter().map(|item| item["count"].as_i64().unwrap()).sum();
    assert_eq!(sum, 5, "{}", told.text);
    assert_eq!((&items[0]["day"], &items[0]["engine"]), (&json!(day), &json!("pro")));
    let page = portal.get("/vendor/downloads", &staff).await.text;
    assert!(page.contains("<td class=\"number\">5</td>"), "{page}");
}

#[tokio::test]
async fn revenue_is_what_was_paid_less_what_went_back() {
    let (portal, staff) = shop().await;
    let customer = portal.customer("marta").await;
    let kept = portal.order(&customer, "professional-month", 2).await;
    let refunded = portal.order(&customer, "professional-month", 1).await;
    for (order, number) in [(&kept, "1"), (&kept, "2"), (&refunded, "3")] {
        let path = format!("/api/v1/vendor/orders/{order}/invoice-paid");
        assert_eq!(portal.post(&path, &staff, json!({"number": number})).await.status, 200);
    }
    let path = format!("/api/v1/vendor/orders/{refunded}/events");
    let back = json!({"id": "b1", "kind": "refunded", "payment": "invoice:3", "total": 100});
    assert_eq!(portal.post(&path, &staff, back.clone()).await.status, 200);
    assert_eq!(portal.post(&path, &staff, back).await.status, 200);
    let list = portal.get("/api/v1/vendor/revenue", &staff).await;
    let price =
        portal.get(&format!("/api/v1/organisations/{}/orders/{kept}", customer.org), &customer.cookie).await;
    let price = price.body["price"].as_i64().unwrap();
    let row = &list.body["items"][0];
    assert_eq!(row["payments"], 3, "{}", list.text);
    assert_eq!((&row["paid"], &row["returned"]), (&json!(price * 2 + price / 2), &json!(100)));
    assert_eq!(
        (&row["tier"], &row["month"]),
        (&json!("professional"), &json!(portal.now().format("%Y-%m").to_string()))
    );
    // The bank takes the rest: no more than was paid goes back.
    let case =
        json!({"id": "c1", "kind": "chargeback", "payment": "invoice:3", "case": "dp_1", "dispute": "lost"});
    assert_eq!(portal.post(&path, &staff, case).await.status, 200);
    let list = portal.get("/api/v1/vendor/revenue", &staff).await;
    assert_eq!(list.body["items"][0]["returned"], price / 2);
    assert!(portal.get("/vendor/revenue", &staff).await.text.contains("EUR"));
}
