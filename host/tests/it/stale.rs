//! Machines that nobody hears of: told once, removed by the policy, and never by accident.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use sysmanage::machines::Swept;

use crate::{
    host::{TestHost, now},
    selector::Fake,
};

const POLICY: &str = "/api/v1/machines/-/stale-policy";

async fn names(host: &TestHost, admin: &str) -> Vec<String> {
    let page = host.get("/api/v1/machines?sort=name", admin).await.body;
    page["items"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect()
}

async fn titles(host: &TestHost, admin: &str) -> Vec<String> {
    let page = host.get("/api/v1/notifications", admin).await.body;
    page["items"].as_array().unwrap().iter().map(|n| n["title"].as_str().unwrap().to_owned()).collect()
}

async fn set(host: &TestHost, admin: &str, policy: Value) {
    assert_eq!(host.call(Method::PUT, POLICY, admin, policy).await.status, 200);
}

#[tokio::test]
async fn silent_machines_are_told_of_once_and_removed_as_the_policy_says() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let (machines, db) = (&host.host.app.machines, &host.host.app.db);
    let begun = now(&host);
    let seen = |name: &str| Fake { seen: Some(begun), ..Fake::new(name, begun) };
    seen("gone").insert(db).await;
    seen("ski-lift").tagged(&["seasonal"]).insert(db).await;
    let never = Fake::new("never-came", begun).insert(db).await;
    Fake { state: "pending", ..Fake::new("asks", begun) }.insert(db).await;
    assert_eq!(machines.sweep_stale().await.unwrap(), Swept::default());

    host.clock.advance(Duration::days(31));
    Fake { seen: Some(now(&host)), ..Fake::new("alive", begun) }.insert(db).await;
    assert_eq!(machines.sweep_stale().await.unwrap(), Swept { stale: 3, ..Swept::default() });
    assert_eq!(machines.sweep_stale().await.unwrap(), Swept::default(), "once");
    assert_eq!(titles(&host, &admin).await, ["3 machines have not reported for 30 days"]);
    let shown = host.get(&format!("/api/v1/machines/{never}"), &admin).await.body;
    assert!(shown["stale_since"].is_string(), "{shown}");

    let policy = json!({"notify_after_days": 60, "remove_after_days": 90, "forget_requests_after_days": 60,
                        "keep": "tag:seasonal"});
    set(&host, &admin, policy.clone()).await;
    assert_eq!(host.get(POLICY, &admin).await.body, policy);
    assert_eq!(machines.sweep_stale().await.unwrap(), Swept::default());
    let shown = host.get(&format!("/api/v1/machines/{never}"), &admin).await.body;
    assert!(shown["stale_since"].is_null(), "the new policy does not mean it: {shown}");

    host.clock.advance(Duration::days(60));
    let expected = Swept { stale: 3, removed: 2, requests: 1, withheld: 0 };
    assert_eq!(machines.sweep_stale().await.unwrap(), expected);
    assert_eq!(names(&host, &admin).await, ["alive", "ski-lift"]);
    let removed = host.get("/api/v1/audit?action=machine.removed_stale", &admin).await.body;
    assert_eq!(removed["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn many_at_once_are_kept_and_a_selector_that_broke_removes_nothing() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let (machines, db) = (&host.host.app.machines, &host.host.app.db);
    let begun = now(&host);
    for n in 0..12 {
        Fake { seen: Some(begun), ..Fake::new(&format!("m{n:02}"), begun) }.insert(db).await;
    }
    set(&host, &admin, json!({"notify_after_days": 5, "remove_after_days": 10})).await;
    host.clock.advance(Duration::days(11));
    let swept = machines.sweep_stale().await.unwrap();
    assert_eq!((swept.removed, swept.withheld), (0, 12));
    assert_eq!(names(&host, &admin).await.len(), 12);
    assert!(titles(&host, &admin).await.contains(&"12 silent machines were not removed".to_owned()));

    let search = json!({"name": "keep", "selector": "name:m0*", "shared": true});
    let search = host.post("/api/v1/searches", &admin, search).await.body;
    set(&host, &admin, json!({"notify_after_days": 5, "remove_after_days": 10, "keep": "search:keep"})).await;
    let path = format!("/api/v1/searches/{}", search["id"].as_str().unwrap());
    host.call(Method::DELETE, &path, &admin, json!({})).await.problem(409, "search_in_use");
    assert_eq!(machines.sweep_stale().await.unwrap().removed, 2);
    assert_eq!(names(&host, &admin).await.len(), 10);
}

#[tokio::test]
async fn a_policy_that_makes_no_sense_is_refused() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    for (policy, field) in [
        (json!({"remove_after_days": 6, "notify_after_days": 1}), "remove_after_days"),
        (json!({"remove_after_days": 30, "notify_after_days": 30}), "notify_after_days"),
        (json!({"remove_after_days": 30, "notify_after_days": 0}), "notify_after_days"),
        (json!({"notify_after_days": 100_000}), "notify_after_days"),
        (json!({"keep": "tag:("}), "keep"),
    ] {
        let answer = host.call(Method::PUT, POLICY, &admin, policy).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.to_string().contains(field), "{}", answer.body);
    }
    let untouched = json!({"notify_after_days": 30, "remove_after_days": 0, "forget_requests_after_days": 0,
                           "keep": ""});
    assert_eq!(host.get(POLICY, &admin).await.body, untouched);
}
