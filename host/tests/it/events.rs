//! Server-sent events: filters, resuming, gaps.

use reqwest::Method;
use serde_json::json;
use sysmanage::events::NewEvent;

use crate::host::TestHost;

/// Read until `wanted` messages came; answers `(event, data)` of each.
async fn read(response: &mut reqwest::Response, wanted: usize) -> Vec<(String, String)> {
    let mut text = String::new();
    let deadline = std::time::Duration::from_secs(10);
    loop {
        let messages: Vec<(String, String)> = text
            .split("\n\n")
            .filter_map(|m| {
                let line =
                    |name: &str| m.lines().find_map(|l| l.strip_prefix(name)).map(|l| l.trim().to_owned());
                Some((line("event:")?, line("data:")?))
            })
            .collect();
        if messages.len() >= wanted && text.ends_with("\n\n") {
            return messages;
        }
        let chunk = tokio::time::timeout(deadline, response.chunk()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn a_client_sees_the_topics_it_asked_for_and_may_see() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    let path = "/api/v1/events?topics=test.*,other";
    let mut response = host.request(Method::GET, path, &viewer).send().await.unwrap();
    let events = &host.host.app.events;
    events.publish(NewEvent::new("test.secret", "users:manage", json!({"n": 1})));
    events.publish(NewEvent::new("unwanted", "machines:read", json!({"n": 2})));
    events.publish(NewEvent::new("test.seen", "machines:read", json!({"n": 3})));
    events.publish(NewEvent::new("other", "machines:read", json!({"n": 4})));
    let seen = read(&mut response, 2).await;
    assert_eq!(seen.iter().map(|(e, _)| e.as_str()).collect::<Vec<_>>(), ["test.seen", "other"]);
    assert!(seen[0].1.contains("\"n\":3"));
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let events = &host.host.app.events;
    events.publish(NewEvent::new("test.a", "machines:read", json!({})));
    let last = events.last_id();
    events.publish(NewEvent::new("test.b", "machines:read", json!({})));
    events.publish(NewEvent::new("test.c", "machines:read", json!({})));
    let resume = |id: u64| {
        let request = host.request(Method::GET, "/api/v1/events?topics=test.*", &admin);
        request.header("last-event-id", id.to_string()).send()
    };
    let seen = read(&mut resume(last).await.unwrap(), 2).await;
    assert_eq!(seen.iter().map(|(e, _)| e.as_str()).collect::<Vec<_>>(), ["test.b", "test.c"]);
    let seen = read(&mut resume(1).await.unwrap(), 4).await;
    assert_eq!(seen[0].0, "gap");
}
