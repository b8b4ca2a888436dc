//! Enrolment, approval and inventory.

use std::sync::Arc;

use agent_protocol::{
    Frame,
    enroll::{EnrollAnswer, POLL_PATH, PollRequest},
    inventory::{Digest, InventorySection, SectionDigest},
};
use agent_sim::{EnrollError, Identity, Link, enroll, poll, post};
use futures_util::future::BoxFuture;
use ring::digest::{SHA256, digest};
use sysmanage::machines::{
    ChangeQuery, LimitReached, MachineChange, MachineError, MachineLimit, MachineQuery, MachineState,
    TokenRequest,
};

use crate::agent_host::{AgentHost, ctx, until};

fn code(error: &anyhow::Error) -> String {
    error.downcast_ref::<EnrollError>().map(|e| e.code.clone()).unwrap_or_else(|| format!("{error:#}"))
}

#[tokio::test]
async fn a_machine_waits_for_approval_and_then_connects() {
    let host = AgentHost::start().await;
    let token = host.token(false).await;
    let mut identity = Identity::new("web-1").unwrap();
    let answer = enroll(&host.server, &mut identity, &token).await.unwrap();
    let EnrollAnswer::Pending { machine_id, .. } = answer else { panic!("{answer:?}") };
    let again = poll(&host.server, &mut identity).await.unwrap();
    assert!(matches!(again, EnrollAnswer::Pending { handle: None, .. }));

    let machine = host.app.machines.approve(&ctx(), machine_id).await.unwrap();
    assert_eq!((machine.state, machine.name.as_str()), (MachineState::Approved, "web-1"));
    assert_eq!(machine.tags, ["test"]);
    assert!(matches!(poll(&host.server, &mut identity).await.unwrap(), EnrollAnswer::Approved { .. }));
    let agent = agent_sim::Agent::new(identity);
    let (link, _) = agent.connect(&host.server).await.unwrap();
    until("online", || async { host.app.machines.get(&ctx(), machine_id).await.unwrap().online }).await;
    link.drop_dead();
    until("offline", || async { !host.app.machines.get(&ctx(), machine_id).await.unwrap().online }).await;
}

#[tokio::test]
async fn approving_twice_is_a_conflict() {
    let host = AgentHost::start().await;
    let (_, id) = host.machine("web-1").await;
    let error = host.app.machines.approve(&ctx(), id).await.unwrap_err();
    assert!(matches!(error, MachineError::AlreadyDecided("approved")));
}

#[tokio::test]
async fn a_token_that_is_unknown_used_up_revoked_or_expired_is_refused() {
    let host = AgentHost::start().await;
    let machines = &host.app.machines;
    let request = TokenRequest {
        name: "once".into(),
        tags: Vec::new(),
        auto_approve: true,
        max_uses: Some(1),
        expires_in_s: 60,
        approve_networks: Vec::new(),
    };
    let refused = async |token: &str| {
        let mut identity = Identity::new("x").unwrap();
        code(&enroll(&host.server, &mut identity, token).await.unwrap_err())
    };
    assert_eq!(refused("smt_nonsense").await, "bad_enrolment_token");
    let once = machines.create_token(&ctx(), request.clone()).await.unwrap();
    let mut first = Identity::new("first").unwrap();
    enroll(&host.server, &mut first, &once.token).await.unwrap();
    assert_eq!(refused(&once.token).await, "bad_enrolment_token");
    // The same key may come again: it lost the answer, perhaps.
    enroll(&host.server, &mut first, &once.token).await.unwrap();
    let many = machines.create_token(&ctx(), TokenRequest { max_uses: None, ..request }).await.unwrap();
    host.clock.advance(chrono::Duration::seconds(61));
    assert_eq!(refused(&many.token).await, "bad_enrolment_token");
    host.clock.advance(chrono::Duration::seconds(-61));
    machines.revoke_token(&ctx(), many.facts.id).await.unwrap();
    assert_eq!(refused(&many.token).await, "bad_enrolment_token");
}

#[tokio::test]
async fn polling_needs_the_handle_and_the_key() {
    let host = AgentHost::start().await;
    let (identity, _) = host.machine("web-1").await;
    let thief = Identity::new("thief").unwrap();
    let handle = identity.handle.clone().unwrap();
    for (handle, proof) in [
        (handle.clone(), thief.proof(&handle).unwrap()),
        (handle.clone(), "nonsense".into()),
        ("guess".into(), identity.proof("guess").unwrap()),
    ] {
        let answer = post(&host.server, POLL_PATH, &PollRequest { handle, proof }).await.unwrap();
        assert_eq!(answer.status(), 403);
    }
}

struct Two;

impl MachineLimit for Two {
    fn admits(&self, approved: u64) -> BoxFuture<'_, Result<(), LimitReached>> {
        Box::pin(async move { if approved < 2 { Ok(()) } else { Err(LimitReached { limit: 2, approved }) } })
    }
}

#[tokio::test]
async fn a_full_licence_refuses_the_next_approval_until_there_is_room() {
    let host = AgentHost::start().await;
    host.app.machines.set_limit(Arc::new(Two));
    let (_, first) = host.machine("a").await;
    host.machine("b").await;
    let token = host.token(true).await;
    let mut third = Identity::new("c").unwrap();
    let answer = enroll(&host.server, &mut third, &token).await.unwrap();
    let EnrollAnswer::Pending { machine_id, .. } = answer else { panic!("{answer:?}") };
    let error = host.app.machines.approve(&ctx(), machine_id).await.unwrap_err();
    let problem = sysmanage::problem::Problem::from(error);
    assert_eq!((problem.status.as_u16(), problem.code.as_str()), (402, "machine_limit_reached"));
    host.app.machines.delete(&ctx(), first).await.unwrap();
    host.app.machines.approve(&ctx(), machine_id).await.unwrap();
}

#[tokio::test]
async fn machines_are_found_by_selector_and_change_by_request() {
    let host = AgentHost::start().await;
    let (_, a) = host.machine("alpha").await;
    host.machine("beta").await;
    let change = MachineChange {
        tags: Some(vec!["web".into(), "db".into(), "web".into()]),
        ..MachineChange::default()
    };
    let changed = host.app.machines.update(&ctx(), a, change).await.unwrap();
    assert_eq!(changed.tags, ["db", "web"]);
    let found = async |selector: &str| {
        let query =
            MachineQuery { selector: Some(selector.parse().unwrap()), limit: 10, ..Default::default() };
        let page = host.app.machines.list(&ctx(), query).await.unwrap();
        page.items.into_iter().map(|m| m.name).collect::<Vec<_>>()
    };
    assert_eq!(found("tag:web os:debian").await, ["alpha"]);
    assert_eq!(found("not tag:web").await, ["beta"]);
    let bad = MachineChange { tags: Some(vec!["no space".into()]), ..MachineChange::default() };
    assert!(matches!(
        host.app.machines.update(&ctx(), a, bad).await,
        Err(MachineError::Invalid { field: "tags", .. })
    ));
    let log = host.app.audit.list(&ctx(), Default::default(), None, 50).await.unwrap();
    let actions: Vec<_> = log.items.iter().map(|e| e.action.as_str()).collect();
    assert!(actions.contains(&"machine.updated") && actions.contains(&"machine.enrolled"), "{actions:?}");
}

fn section(text: &str) -> InventorySection {
    let data = format!("{{\"packages\":[{{\"name\":\"bash\",\"version\":\"{text}\"}}]}}").into_bytes();
    let digest: [u8; 32] = digest(&SHA256, &data).as_ref().try_into().unwrap();
    InventorySection {
        name: "packages".into(),
        digest: Digest::new(digest),
        collected_at: 0,
        data: serde_bytes::ByteBuf::from(data),
    }
}

#[tokio::test]
async fn inventory_is_asked_for_once_and_its_changes_are_kept() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    for version in ["1", "2"] {
        let mut link = Link::open(&host.server, Some(&identity)).await.unwrap();
        let section = section(version);
        let mut hello = agent_sim::hello(&identity);
        hello.sections = vec![SectionDigest { name: section.name.clone(), digest: section.digest }];
        link.say(hello.clone()).await.unwrap();
        let wanted = link
            .hear_until(|f| match f {
                Frame::InventoryRequest(r) => Some(r.names),
                _ => None,
            })
            .await
            .unwrap();
        assert_eq!(wanted, ["packages"]);
        link.say(section.clone()).await.unwrap();
        until("stored", || async {
            let sections = host.app.machines.sections(&ctx(), id).await.unwrap();
            sections.iter().any(|s| s.digest == section.digest.to_hex())
        })
        .await;
    }
    let changes = host
        .app
        .machines
        .changes(&ctx(), id, ChangeQuery { limit: 10, ..Default::default() })
        .await
        .unwrap()
        .items;
    assert_eq!(changes.len(), 1);
    let expected = serde_json::json!([{"kind": "changed", "path": "/packages/:bash:/version", "before": "1", "after": "2"}]);
    assert_eq!(changes[0].changes, expected);
}
