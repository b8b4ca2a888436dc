//! Tags, automatic tags, tokens with conditions, and decisions on waiting machines.

use agent_protocol::enroll::EnrollAnswer;
use agent_sim::{Identity, enroll, poll};
use reqwest::Method;
use serde_json::{Value, json};
use sysmanage::machines::{MachineChange, MachineState, TokenRequest};
use uuid::Uuid;

use crate::{
    agent_host::{AgentHost, ctx, until},
    host::{self, TestHost},
    selector::Fake,
};

async fn tags_of(host: &TestHost, token: &str, id: Uuid) -> Value {
    host.get(&format!("/api/v1/machines/{id}"), token).await.body["tags"].clone()
}

#[tokio::test]
async fn tags_are_listed_described_renamed_and_deleted() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let (db, now) = (&host.host.app.db, host::now(&host));
    let a = Fake::new("a", now).tagged(&["web", "prod"]).insert(db).await;
    Fake::new("b", now).tagged(&["web"]).insert(db).await;
    let described = json!({"colour": "#aa00ff", "description": "Web servers"});
    let tag = host.call(Method::PATCH, "/api/v1/tags/web", &admin, described).await;
    assert_eq!((tag.status.as_u16(), &tag.body["machines"]), (200, &json!(2)));
    host.call(Method::PATCH, "/api/v1/tags/web", &admin, json!({"colour": "red"}))
        .await
        .problem(422, "invalid");
    let listed = host.get("/api/v1/tags", &admin).await.body;
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["prod", "web"]);
    host.post("/api/v1/tags/web/rename", &admin, json!({"name": "prod"})).await.problem(409, "name_taken");
    assert_eq!(host.post("/api/v1/tags/web/rename", &admin, json!({"name": "www"})).await.status, 204);
    assert_eq!(tags_of(&host, &admin, a).await, json!(["prod", "www"]));
    let bulk = json!({"selector": "name:a,b", "add": ["new"], "remove": ["prod"]});
    assert_eq!(host.post("/api/v1/machines/-/tags", &admin, bulk).await.body, json!({"machines": 2}));
    assert_eq!(tags_of(&host, &admin, a).await, json!(["new", "www"]));
    assert_eq!(host.call(Method::DELETE, "/api/v1/tags/www", &admin, json!(null)).await.status, 204);
    host.call(Method::DELETE, "/api/v1/tags/www", &admin, json!(null)).await.problem(404, "not_found");
    assert_eq!(tags_of(&host, &admin, a).await, json!(["new"]));
}

#[tokio::test]
async fn an_automatic_tag_follows_its_rule_and_no_hand() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let (app, now) = (&host.host.app, host::now(&host));
    let big = Fake { cpus: 16, ..Fake::new("big", now) }.insert(&app.db).await;
    let small = Fake::new("small", now).tagged(&["big"]).insert(&app.db).await;
    let rule = async |tag: &str, selector: &str| {
        host.call(Method::PATCH, &format!("/api/v1/tags/{tag}"), &admin, json!({"selector": selector})).await
    };
    assert_eq!(rule("big", "cpus>=8 or notes:*big*").await.body["machines"], 1);
    assert_eq!(tags_of(&host, &admin, big).await, json!(["big"]));
    assert_eq!(tags_of(&host, &admin, small).await, json!([]));
    let why = host.get(&format!("/api/v1/machines/{big}/tags"), &admin).await.body;
    let expected = json!([{"name": "big", "automatic": true, "selector": "cpus>=8 or notes:*big*"}]);
    assert_eq!(why, expected);
    let patch = async |id: Uuid, body: Value| {
        host.call(Method::PATCH, &format!("/api/v1/machines/{id}"), &admin, body).await
    };
    patch(big, json!({"tags": []})).await.problem(409, "automatic_tag");
    patch(small, json!({"tags": ["big"]})).await.problem(409, "automatic_tag");
    let bulk = json!({"selector": "all", "remove": ["big"]});
    host.post("/api/v1/machines/-/tags", &admin, bulk).await.problem(409, "automatic_tag");
    rule("other", "tag:b*").await.problem(422, "invalid");
    rule("big", "tag:big").await.problem(422, "invalid");
    // A change of one machine is noticed by itself.
    assert_eq!(patch(small, json!({"notes": "Not so BIG"})).await.status, 200);
    until("tagged", || async { tags_of(&host, &admin, small).await == json!(["big"]) }).await;
    // Without its rule the tag stays, and hands may take it.
    assert_eq!(rule("big", "").await.body["selector"], json!(null));
    assert_eq!(patch(small, json!({"tags": []})).await.status, 200);
    let log = host.get("/api/v1/audit?action=machine.tagged", &admin).await.body;
    assert!(log["items"].as_array().unwrap().iter().all(|e| e["after"]["rule"].is_string()));
}

#[tokio::test]
async fn a_token_approves_only_from_its_networks_and_tells_its_state() {
    let host = AgentHost::start().await;
    let machines = &host.app.machines;
    let request = |networks: &[&str], max_uses| TokenRequest {
        name: "lab".into(),
        tags: Vec::new(),
        auto_approve: true,
        max_uses,
        expires_in_s: 600,
        approve_networks: networks.iter().map(|n| (*n).into()).collect(),
    };
    assert!(machines.create_token(&ctx(), request(&["10.0.0.0/99"], None)).await.is_err());
    for (networks, approved) in [(["10.0.0.0/8", "fd00::/8"], false), (["10.0.0.0/8", "127.0.0.0/8"], true)] {
        let token = machines.create_token(&ctx(), request(&networks, Some(1))).await.unwrap();
        assert_eq!((token.facts.state.as_str(), token.facts.last_used_at), ("active", None));
        let mut identity = Identity::new("x").unwrap();
        let answer = enroll(&host.server, &mut identity, &token.token).await.unwrap();
        assert_eq!(matches!(answer, EnrollAnswer::Approved { .. }), approved, "{answer:?}");
        let listed = machines.list_tokens(&ctx(), None, 1).await.unwrap().items.remove(0);
        assert_eq!((listed.state.as_str(), listed.last_used_at.is_some()), ("used_up", true));
    }
    host.clock.advance(chrono::Duration::seconds(601));
    let token = machines.list_tokens(&ctx(), None, 1).await.unwrap().items.remove(0);
    assert_eq!(token.state, "expired");
}

#[tokio::test]
async fn a_machine_set_up_again_takes_its_old_place() {
    let host = AgentHost::start().await;
    let machines = &host.app.machines;
    let (old_identity, old) = host.machine("web-1").await;
    let change = MachineChange { name: Some("Web".into()), notes: Some("Rack 7".into()), tags: None };
    machines.update(&ctx(), old, change).await.unwrap();
    let token = host.token(false).await;
    let mut identity = Identity::new("web-1").unwrap();
    let answer = enroll(&host.server, &mut identity, &token).await.unwrap();
    let EnrollAnswer::Pending { machine_id: new, .. } = answer else { panic!("{answer:?}") };
    let duplicates = machines.duplicates(&ctx(), new).await.unwrap();
    assert_eq!((duplicates.len(), duplicates[0].machine.id), (1, old));
    assert_eq!(duplicates[0].same, ["serial", "hostname", "address"]);
    // A machine of the same name alone is less likely than one with the same serial number.
    let same_name = crate::selector::Fake::new("web-1", chrono::Utc::now()).insert(&host.app.db).await;
    let duplicates = machines.duplicates(&ctx(), new).await.unwrap();
    assert_eq!(duplicates.iter().map(|d| d.machine.id).collect::<Vec<_>>(), [old, same_name]);
    machines.delete(&ctx(), same_name).await.unwrap();
    let replaced = machines.replace(&ctx(), new, old).await.unwrap();
    assert_eq!((replaced.id, replaced.name.as_str(), replaced.notes.as_str()), (old, "Web", "Rack 7"));
    assert_eq!(replaced.tags, ["test"]);
    assert!(machines.get(&ctx(), new).await.is_err());
    let answer = poll(&host.server, &mut identity).await.unwrap();
    assert!(matches!(answer, EnrollAnswer::Approved { machine_id, .. } if machine_id == old), "{answer:?}");
    let (_link, _) = agent_sim::Agent::new(identity).connect(&host.server).await.unwrap();
    until("online", || async { machines.get(&ctx(), old).await.unwrap().online }).await;
    assert!(agent_sim::Agent::new(old_identity).connect(&host.server).await.is_err());
}

#[tokio::test]
async fn waiting_machines_are_approved_together_unless_they_are_more_than_said() {
    let host = AgentHost::start().await;
    let token = host.token(false).await;
    for name in ["lab-1", "lab-2", "web-1"] {
        enroll(&host.server, &mut Identity::new(name).unwrap(), &token).await.unwrap();
    }
    let machines = &host.app.machines;
    let decide = async |selector: &str, to, most| machines.decide_many(&ctx(), selector, to, most).await;
    assert!(decide("lab", MachineState::Approved, 1).await.is_err());
    assert_eq!(machines.count(&ctx(), "state:pending").await.unwrap(), 3);
    assert_eq!(decide("lab", MachineState::Approved, 2).await.unwrap().done.len(), 2);
    assert_eq!(decide("all", MachineState::Rejected, 5).await.unwrap().done.len(), 1);
    assert_eq!(machines.count(&ctx(), "state:approved name:lab-*").await.unwrap(), 2);
    assert_eq!(machines.count(&ctx(), "state:rejected web").await.unwrap(), 1);
}
