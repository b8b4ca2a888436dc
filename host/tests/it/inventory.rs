//! Inventory: changes alone, history, software and updates across machines, and who may see and count what.

use agent_protocol::{
    inventory::{InventoryDelta, InventorySection, RemovedItems},
    items,
};
use serde_json::{Value, json};
use sysmanage::machines::{Report, Stored};
use uuid::Uuid;

use crate::{host::TestHost, selector::Fake};

async fn machine(host: &TestHost, name: &str, tags: &[&str]) -> Uuid {
    Fake::new(name, crate::host::now(host)).tagged(tags).insert(&host.host.app.db).await
}

pub fn whole(name: &str, data: &Value) -> Report {
    let data = serde_json::to_vec(data).unwrap();
    let digest = items::sha256(&data);
    Report::Whole(InventorySection { name: name.into(), digest, collected_at: 0, data: data.into() })
}

pub fn package(name: &str, version: &str) -> Value {
    json!({"key": format!("dpkg:{name}:amd64"), "name": name, "arch": "amd64", "version": version, "manager": "dpkg"})
}

fn delta(before: &Value, after: &Value, upserts: &Value, removed: &[&str]) -> InventoryDelta {
    let bytes = |v: &Value| serde_json::to_vec(v).unwrap();
    let keys: Vec<String> = removed.iter().map(|key| (*key).to_owned()).collect();
    InventoryDelta {
        name: "packages".into(),
        base: items::sha256(&bytes(before)),
        digest: items::sha256(&bytes(after)),
        check: items::check(&items::items(&bytes(after)).unwrap()),
        collected_at: 0,
        upserts: bytes(upserts).into(),
        removed: Vec::from_iter((!keys.is_empty()).then(|| RemovedItems { member: "packages".into(), keys })),
    }
}

pub async fn tell(host: &TestHost, machine: Uuid, name: &str, data: Value) {
    let stored = host.host.app.machines.store_report(machine, whole(name, &data)).await.unwrap();
    assert!(matches!(stored, Stored::Stored(_)));
}

async fn packages(host: &TestHost, machine: Uuid, list: &[Value]) {
    tell(host, machine, "packages", json!({"packages": list, "sources": ["dpkg"]})).await;
}

#[tokio::test]
async fn a_change_is_applied_and_one_that_does_not_fit_asks_for_all() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let id = machine(&host, "web-1", &[]).await;
    let machines = &host.host.app.machines;
    let held = json!({"key": "dpkg:b:amd64", "name": "b", "arch": "amd64", "version": "1", "manager": "dpkg", "held": true});
    let before = json!({"packages": [package("a", "1"), held, package("c", "1")], "sources": ["dpkg"]});
    let after = json!({"packages": [package("a", "2"), held, package("d", "1")], "sources": ["dpkg"]});
    let upserts = json!({"packages": [package("a", "2"), package("d", "1")]});
    let change = delta(&before, &after, &upserts, &["dpkg:c:amd64"]);
    let early = machines.store_report(id, Report::Delta(change.clone())).await.unwrap();
    assert_eq!(early, Stored::Resync, "there is nothing it could change");
    machines.store_report(id, whole("packages", &before)).await.unwrap();
    let mut wrong = change.clone();
    wrong.removed.clear();
    assert_eq!(machines.store_report(id, Report::Delta(wrong)).await.unwrap(), Stored::Resync);
    let stored = machines.store_report(id, Report::Delta(change.clone())).await.unwrap();
    assert_eq!(stored, Stored::Stored(change.digest));
    let section = host.get(&format!("/api/v1/machines/{id}/inventory/packages"), &admin).await.body;
    assert_eq!(section["data"], after);
    assert_eq!(section["digest"], change.digest.to_hex());

    let changes = host.get(&format!("/api/v1/machines/{id}/changes"), &admin).await.body;
    let kinds: Vec<_> = changes["items"][0]["changes"].as_array().unwrap().iter().collect();
    let expected = [
        json!({"kind": "changed", "path": "/packages/dpkg:a:amd64/version", "before": "1", "after": "2"}),
        json!({"kind": "removed", "path": "/packages/dpkg:c:amd64", "before": package("c", "1"), "after": null}),
        json!({"kind": "added", "path": "/packages/dpkg:d:amd64", "before": null, "after": package("d", "1")}),
    ];
    assert_eq!(kinds, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_fleet_tells_what_changed_since_when_and_where() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let web = machine(&host, "web-1", &["web"]).await;
    let db = machine(&host, "db-1", &["db"]).await;
    for version in ["1", "2"] {
        packages(&host, web, &[package("a", version)]).await;
        packages(&host, db, &[package("a", version)]).await;
        host.clock.advance(chrono::Duration::hours(1));
    }
    let since = crate::host::now(&host);
    tell(&host, web, "os", json!({"id": "debian"})).await;
    tell(&host, web, "os", json!({"id": "debian", "kernel": "6"})).await;
    let names = async |query: &str| -> Vec<String> {
        let found = host.get(&format!("/api/v1/changes?{query}"), &admin).await.body;
        let item =
            |i: &Value| format!("{} {}", i["machine_name"].as_str().unwrap(), i["section"].as_str().unwrap());
        found["items"].as_array().unwrap().iter().map(item).collect()
    };
    assert_eq!(names("").await, ["web-1 os", "db-1 packages", "web-1 packages"]);
    assert_eq!(names("q=tag:web").await, ["web-1 os", "web-1 packages"]);
    assert_eq!(names("section=packages&q=tag:db").await, ["db-1 packages"]);
    let since = since.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(names(&format!("since={since}")).await, ["web-1 os"]);
    let first = host.get("/api/v1/changes?limit=1", &admin).await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(names(&format!("limit=1&cursor={cursor}")).await, ["db-1 packages"]);
}

#[tokio::test]
async fn software_is_counted_per_title_and_version_within_reach() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let kernel = |version: &str| json!({"key": format!("rpm:kernel:x86_64:{version}"), "name": "kernel", "arch": "x86_64", "version": version, "manager": "rpm"});
    let mut ids = Vec::new();
    for (i, tag) in ["web", "web", "db"].into_iter().enumerate() {
        let id = machine(&host, &format!("{tag}-{i}"), &[tag]).await;
        let version = if i == 0 { "1" } else { "2" };
        packages(&host, id, &[package("bash", version), kernel("5"), kernel("6")]).await;
        ids.push(id);
    }
    packages(&host, ids[2], &[package("bash", "2"), package("postgresql", "17")]).await;
    let counts = async |path: &str| -> Value {
        let items = host.get(path, &admin).await.body["items"].clone();
        items.as_array().unwrap().iter().map(|t| json!([t["name"], t["machines"], t["versions"]])).collect()
    };
    let all = json!([["bash", 3, 2], ["kernel", 2, 2], ["postgresql", 1, 1]]);
    assert_eq!(counts("/api/v1/software").await, all);
    assert_eq!(counts("/api/v1/software?sort=-machines").await, all);
    assert_eq!(counts("/api/v1/software?search=gres").await, json!([["postgresql", 1, 1]]));
    assert_eq!(counts("/api/v1/software?q=tag:db").await, json!([["bash", 1, 1], ["postgresql", 1, 1]]));
    // Two of three: counted from the other side.
    assert_eq!(counts("/api/v1/software?q=tag:web").await, json!([["bash", 2, 2], ["kernel", 2, 2]]));
    let first = host.get("/api/v1/software?limit=1&sort=-machines", &admin).await.body;
    let next =
        format!("/api/v1/software?limit=1&sort=-machines&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(counts(&next).await, json!([["kernel", 2, 2]]));

    let bash = host.get("/api/v1/software/bash", &admin).await.body;
    let installed = json!([{"version": "2", "arch": "amd64", "machines": 2}, {"version": "1", "arch": "amd64", "machines": 1}]);
    assert_eq!((&bash["machines"], &bash["installed"]), (&json!(3), &installed));
    let on = host.get("/api/v1/software/bash/machines?version=2", &admin).await.body;
    let names: Vec<_> = on["items"].as_array().unwrap().iter().map(|m| m["machine_name"].clone()).collect();
    assert_eq!(names, ["db-2", "web-1"]);

    host.call(reqwest::Method::DELETE, &format!("/api/v1/machines/{}", ids[2]), &admin, Value::Null).await;
    assert_eq!(counts("/api/v1/software").await, json!([["bash", 2, 2], ["kernel", 2, 2]]));
    host.get("/api/v1/software/postgresql", &admin).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_scope_limits_what_is_seen_and_counted() {
    use sysmanage::{
        ctx::{Actor, Ctx},
        permissions::{Grant, PermissionSet},
        software::Listing,
    };
    let host = TestHost::start().await;
    for tag in ["web", "db"] {
        let id = machine(&host, tag, &[tag]).await;
        packages(&host, id, &[package("bash", "1"), package(&format!("only-{tag}"), "1")]).await;
        tell(&host, id, "updates", json!({"updates": [package(&format!("new-{tag}"), "2")]})).await;
    }
    let grant = Grant { permissions: PermissionSet::new(["machines:read"]), scope: "tag:web".into() };
    let ctx = Ctx::new(Actor::System, "scoped", vec![grant], "test".into());
    let app = &host.host.app;
    let listing = Listing { limit: 50, ..Listing::default() };
    let titles = app.software.titles(&ctx, listing.clone()).await.unwrap().items;
    let seen: Vec<_> = titles.iter().map(|t| (t.name.as_str(), t.machines)).collect();
    assert_eq!(seen, [("bash", 1), ("only-web", 1)]);
    assert!(app.software.title(&ctx, "only-db", None).await.is_err());
    assert_eq!(app.software.title(&ctx, "bash", None).await.unwrap().title.machines, 1);
    assert_eq!(app.software.machines_of(&ctx, "bash", listing.clone()).await.unwrap().items.len(), 1);
    let updates = app.software.updates(&ctx, listing).await.unwrap().items;
    assert_eq!(updates.iter().map(|u| u.name.as_str()).collect::<Vec<_>>(), ["new-web"]);
    let facets = app.machines.facets(&ctx, None).await.unwrap();
    assert_eq!((facets.total, facets.tag.len()), (1, 1));
    assert_eq!(
        app.machines.trend(&ctx, 7).await.unwrap(),
        None,
        "counts of the whole fleet are not for a part of it"
    );
    let none = Ctx::new(Actor::System, "nobody", Vec::new(), "test".into());
    assert!(app.software.titles(&none, Listing::default()).await.is_err());
    assert!(app.machines.facets(&none, None).await.is_err());
}

#[tokio::test]
async fn machines_know_their_updates_and_lists_sort_by_them() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
        let id = machine(&host, name, &[]).await;
        let mut list: Vec<Value> = (0..i).map(|n| package(&format!("p{n}"), "2")).collect();
        if let Some(first) = list.first_mut() {
            first["security"] = json!(true);
        }
        tell(&host, id, "updates", json!({"updates": list})).await;
        tell(&host, id, "reboot", json!({"required": i == 2})).await;
    }
    let names = async |query: &str| -> Vec<String> {
        let found = host.get(&format!("/api/v1/machines?{query}"), &admin).await.body;
        found["items"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("sort=-updates").await, ["c", "b", "a"]);
    for sort in ["updates", "-security", "os", "-name", "last_seen", "-last_seen"] {
        let first = host.get(&format!("/api/v1/machines?limit=2&sort={sort}"), &admin).await.body;
        let cursor = first["next_cursor"].as_str().unwrap();
        let all = names(&format!("sort={sort}")).await;
        assert_eq!(names(&format!("limit=2&sort={sort}&cursor={cursor}")).await, all[2..], "{sort}");
    }
    host.get("/api/v1/machines?sort=colour", &admin).await.problem(422, "invalid");
    let overview = host.get("/api/v1/overview", &admin).await.body;
    let needs = json!([{"value": "reboot", "machines": 1}, {"value": "updates", "machines": 2}, {"value": "security", "machines": 2}]);
    assert_eq!(overview["machines"]["needs"], needs);
    assert_eq!((&overview["pending"], &overview["operations"]["running"]), (&json!(0), &json!(0)));
    let updates = host.get("/api/v1/updates?security=true", &admin).await.body;
    assert_eq!(updates["items"].as_array().unwrap().len(), 1);
    assert_eq!((&updates["items"][0]["name"], &updates["items"][0]["machines"]), (&json!("p0"), &json!(2)));
    let id = updates["items"][0]["id"].as_i64().unwrap();
    let needing = host.get(&format!("/api/v1/updates/{id}/machines"), &admin).await.body;
    assert_eq!(needing["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_fleet_is_counted_over_time() {
    use chrono::Duration;
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let trend = async |query: &str| host.get(&format!("/api/v1/overview/trend{query}"), &admin).await.body;
    assert_eq!(trend("").await["trend"], json!({"step_s": 3600, "points": []}));
    let id = machine(&host, "a", &[]).await;
    tell(&host, id, "reboot", json!({"required": true})).await;
    let machines = &host.host.app.machines;
    machines.sample_fleet().await.unwrap();
    machine(&host, "b", &[]).await;
    machines.sample_fleet().await.unwrap();
    let first = trend("?days=1").await["trend"]["points"].clone();
    assert_eq!(first.as_array().unwrap().len(), 1, "one word for ten minutes: {first}");
    assert_eq!(
        (&first[0]["machines"], &first[0]["reboot"], &first[0]["security"]),
        (&json!(2), &json!(1), &json!(0))
    );

    for _ in 0..30 {
        host.clock.advance(Duration::minutes(10));
        machines.sample_fleet().await.unwrap();
    }
    let len = |trend: &Value| trend["trend"]["points"].as_array().unwrap().len();
    assert_eq!(len(&trend("?days=1").await), 31);
    let week = trend("?days=7").await;
    assert!((5..=7).contains(&len(&week)), "one an hour, and the last: {week}");
    host.clock.advance(Duration::days(8));
    machines.sample_fleet().await.unwrap();
    let left = len(&trend("?days=28").await);
    assert!((6..=7).contains(&left), "those of whole hours, and the new one: {left}");
    host.clock.advance(Duration::days(731));
    machines.sample_fleet().await.unwrap();
    assert_eq!(len(&trend("?days=730").await), 1, "what is old is forgotten");
    host.get("/api/v1/overview/trend?days=0", &admin).await.problem(422, "invalid");
    host.get("/api/v1/overview/trend?days=731", &admin).await.problem(422, "invalid");
}
