//! The gateway against strangers, liars and the silent.

use std::{path::PathBuf, sync::Arc, time::Duration};

use agent_protocol::{
    Frame,
    engine::{EngineAssign, EngineReport, EngineState, EngineStatus},
    enroll::{CONNECT_PATH, package_path},
    session::{CertificateAnswer, CertificateRequest, Ping},
    task::ResultAck,
};
use agent_sim::{Agent, Identity, Link, get};
use futures_util::future::BoxFuture;
use serde_bytes::ByteBuf;
use sysmanage::gateway::{EnginePackages, PackageFile};
use uuid::Uuid;

use crate::agent_host::{AgentHost, config, ctx, until};

async fn goodbye(link: &mut Link) -> String {
    link.hear_until(|f| match f {
        Frame::Goodbye(g) => Some(g.code),
        _ => None,
    })
    .await
    .unwrap()
}

async fn greeted(host: &AgentHost, identity: &Identity) -> Link {
    Agent::new(identity.clone()).connect(&host.server).await.unwrap().0
}

#[tokio::test]
async fn without_a_certificate_only_enrolment_is_open() {
    let host = AgentHost::start().await;
    for path in [CONNECT_PATH.to_owned(), package_path("automation", "1.0.0")] {
        let answer = get(&host.server, None, &path, None).await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        assert!(String::from_utf8_lossy(answer.body()).contains("certificate_required"));
    }
    assert!(Link::open(&host.server, None).await.is_err());
}

#[tokio::test]
async fn a_certificate_of_another_authority_fails_the_handshake() {
    let (host, other) = (AgentHost::start().await, AgentHost::start().await);
    let (foreign, _) = other.machine("x").await;
    assert!(Link::open(&host.server, Some(&foreign)).await.is_err());
    assert!(Link::open(&other.server, Some(&foreign)).await.is_ok());
}

#[tokio::test]
async fn an_agent_that_pins_another_authority_does_not_connect() {
    let (host, other) = (AgentHost::start().await, AgentHost::start().await);
    let mut server = host.server.clone();
    server.trust = other.server.trust.clone();
    assert!(get(&server, None, CONNECT_PATH, None).await.is_err());
}

#[tokio::test]
async fn a_rejected_machine_is_sent_away_and_does_not_come_back() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let mut link = greeted(&host, &identity).await;
    host.app.machines.reject(&ctx(), id).await.unwrap();
    assert_eq!(goodbye(&mut link).await, "rejected");
    assert!(Link::open(&host.server, Some(&identity)).await.is_err());
    host.app.machines.approve(&ctx(), id).await.unwrap();
    greeted(&host, &identity).await;
    host.app.machines.delete(&ctx(), id).await.unwrap();
    until("unknown", || async { Link::open(&host.server, Some(&identity)).await.is_err() }).await;
}

#[tokio::test]
async fn the_newest_connection_of_a_machine_wins() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let mut old = greeted(&host, &identity).await;
    let mut new = greeted(&host, &identity).await;
    assert_eq!(goodbye(&mut old).await, "replaced");
    new.say(Ping { nonce: 7 }).await.unwrap();
    new.hear_until(|f| matches!(f, Frame::Pong(p) if p.nonce == 7).then_some(())).await.unwrap();
    assert!(host.app.machines.get(&ctx(), id).await.unwrap().online);
}

#[tokio::test]
async fn whatever_an_agent_sends_the_host_answers_with_a_reason_and_serves_on() {
    let host = AgentHost::start().await;
    let (identity, _) = host.machine("liar").await;
    let (honest, _) = host.machine("honest").await;
    let mut witness = greeted(&host, &honest).await;
    let bytes: [(&[u8], &str); 6] = [
        (b"", "malformed_packet"),
        (&[9, 9, 9, 9], "malformed_packet"),
        (&[1, 0, 1, 0xc1], "malformed_frame"),
        (&[1, 0, 3, 0, 0, 0, 9, 1, 2, 3], "bad_compression"),
        (&[1, 0, 3, 0xff, 0xff, 0xff, 0xff, 1], "frame_too_large"),
        (&[1, 0, 1, 0x81, 0xa5, b'h', b'e', b'l', b'l', b'o', 0x80], "malformed_frame"),
    ];
    for (bytes, code) in bytes {
        let mut link = greeted(&host, &identity).await;
        link.say_bytes(bytes.to_vec()).await.unwrap();
        assert_eq!(goodbye(&mut link).await, code, "{bytes:?}");
    }
    let mut link = greeted(&host, &identity).await;
    link.say(ResultAck { task_id: Uuid::now_v7() }).await.unwrap();
    assert_eq!(goodbye(&mut link).await, "unexpected_frame");
    let mut link = greeted(&host, &identity).await;
    link.say_text("hello").await.unwrap();
    assert_eq!(goodbye(&mut link).await, "malformed_packet");
    // Before the hello as well.
    let mut link = Link::open(&host.server, Some(&identity)).await.unwrap();
    link.say(Ping { nonce: 1 }).await.unwrap();
    assert_eq!(goodbye(&mut link).await, "unexpected_frame");
    let mut link = Link::open(&host.server, Some(&identity)).await.unwrap();
    let mut hello = agent_sim::hello(&identity);
    hello.protocol = (900, 999);
    link.say(hello).await.unwrap();
    assert_eq!(goodbye(&mut link).await, "version_unsupported");

    witness.say(Ping { nonce: 1 }).await.unwrap();
    witness.hear_until(|f| matches!(f, Frame::Pong(_)).then_some(())).await.unwrap();
}

#[tokio::test]
async fn a_silent_machine_is_offline_soon() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let mut config = config(dir.path());
    config.agents.heartbeat_s = 1;
    config.agents.offline_after_s = 1;
    let host = AgentHost::start_in(dir, config).await;
    let (identity, id) = host.machine("silent").await;
    let mut link = greeted(&host, &identity).await;
    assert_eq!(goodbye(&mut link).await, "heartbeat_missed");
    until("offline", || async { !host.app.machines.get(&ctx(), id).await.unwrap().online }).await;
}

#[tokio::test]
async fn a_certificate_is_renewed_for_the_same_key_only() {
    let host = AgentHost::start().await;
    let (identity, _) = host.machine("web-1").await;
    let mut link = greeted(&host, &identity).await;
    let other = Identity::new("other").unwrap();
    let mut ask = async |csr: Vec<u8>| {
        link.say(CertificateRequest { csr_der: ByteBuf::from(csr) }).await.unwrap();
        link.hear_until(|f| match f {
            Frame::CertificateAnswer(answer) => Some(answer),
            _ => None,
        })
        .await
        .unwrap()
    };
    let issued = ask(identity.csr_der().unwrap()).await;
    assert!(matches!(issued, CertificateAnswer::Issued { chain_der, .. } if chain_der.len() == 2));
    let refused = ask(other.csr_der().unwrap()).await;
    assert!(matches!(refused, CertificateAnswer::Refused { code, .. } if code == "other_key"));
    let refused = ask(b"nonsense".to_vec()).await;
    assert!(matches!(refused, CertificateAnswer::Refused { code, .. } if code == "bad_request"));
}

struct OnePackage(PathBuf);

impl EnginePackages for OnePackage {
    fn assigned<'a>(&'a self, _: Uuid, _: &'a str) -> BoxFuture<'a, EngineAssign> {
        Box::pin(async { EngineAssign::default() })
    }
    fn package<'a>(&'a self, _: Uuid, id: &'a str, _: &'a str) -> BoxFuture<'a, Option<PackageFile>> {
        let file = PackageFile { path: self.0.clone(), size: 10, digest: "d".into() };
        Box::pin(async move { (id == "automation").then_some(file) })
    }
}

#[tokio::test]
async fn a_package_is_fetched_from_any_byte_on_and_its_fate_is_told() {
    let host = AgentHost::start().await;
    let path = host.dir.path().join("package");
    std::fs::write(&path, b"0123456789").unwrap();
    host.app.gateway.set_packages(Arc::new(OnePackage(path)));
    let (identity, id) = host.machine("web-1").await;
    let fetch = async |engine: &str, range| {
        let answer = get(&host.server, Some(&identity), &package_path(engine, "1.0.0"), range).await.unwrap();
        (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
    };
    assert_eq!(fetch("automation", None).await, (200, "0123456789".into()));
    assert_eq!(fetch("automation", Some("bytes=4-")).await, (206, "456789".into()));
    assert_eq!(fetch("automation", Some("bytes=10-")).await.0, 416);
    assert_eq!(fetch("other", None).await.0, 404);

    let mut link = greeted(&host, &identity).await;
    let report = EngineReport {
        id: "automation".into(),
        version: "1.0.0".into(),
        state: EngineState::Refused,
        code: "policy_forbids".into(),
        message: "No.".into(),
    };
    link.say(EngineStatus { engines: vec![report] }).await.unwrap();
    until("told", || async {
        let engines = host.app.machines.details(&ctx(), id).await.unwrap().engines;
        engines.iter().any(|e| e.state == "refused" && e.code == "policy_forbids")
    })
    .await;
}

#[tokio::test]
async fn agents_are_told_when_the_host_stops() {
    let host = AgentHost::start().await;
    let (identity, _) = host.machine("web-1").await;
    let mut link = greeted(&host, &identity).await;
    let app = host.app.clone();
    let stopping = tokio::spawn(async move { app.stop().await });
    assert_eq!(goodbye(&mut link).await, "host_stopping");
    tokio::time::timeout(Duration::from_secs(10), stopping).await.unwrap().unwrap();
}
