//! Packages: fetched, resumed, checked, refused.

use std::time::Duration;

use agent_protocol::{
    Frame,
    engine::{AssignedEngine, EngineAssign, EngineReport, EngineState},
    enroll::package_path,
    inventory::Digest,
};
use bytes::Bytes;

use crate::host::{AgentProcess, HostSession, TestHost};

async fn started(folder: &std::path::Path) -> (TestHost, AgentProcess, HostSession) {
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder);
    agent.enrol(&host).await;
    agent.run();
    let session = host.session().await;
    (host, agent, session)
}

fn assigned(bytes: &[u8]) -> AssignedEngine {
    AssignedEngine {
        id: "some_engine".into(),
        version: "1.0.0".into(),
        digest: Digest::new(sysmanage_agent::inventory::digest(bytes)),
        size: bytes.len() as u64,
        license_proof: b"{}".to_vec().into(),
    }
}

async fn report(session: &mut HostSession, wanted: impl Fn(&EngineReport) -> bool) -> EngineReport {
    let report = session.wait(|frame| match frame {
        Frame::EngineStatus(status) => status.engines.into_iter().find(|report| wanted(report)),
        _ => None,
    });
    report.await
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was_and_rubbish_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _agent, mut session) = started(folder.path()).await;
    let package: Bytes = (0..200_000_u32).map(|n| (n * 31 % 251) as u8).collect::<Vec<u8>>().into();
    let path = package_path("some_engine", "1.0.0");
    host.state.packages.lock().unwrap().insert(path, (package.clone(), Some(70_000)));
    let assign = EngineAssign { engines: vec![assigned(&package)], ..EngineAssign::default() };
    session.send(assign.clone());
    report(&mut session, |report| report.state == EngineState::Fetching).await;
    let failed = report(&mut session, |report| report.state == EngineState::Failed).await;
    assert_eq!(failed.code, "fetch_failed");
    // It tries again by itself; being told again is quicker.
    session.send(assign);
    let refused = report(&mut session, |report| report.state == EngineState::Refused).await;
    assert_eq!(refused.code, "malformed_archive");
    let ranges = host.state.ranges.lock().unwrap().clone();
    assert_eq!(ranges[0], None);
    let resumed: usize =
        ranges[1].as_deref().unwrap()["bytes=".len()..].trim_end_matches('-').parse().unwrap();
    assert!(resumed > 0 && resumed <= 70_000, "{resumed}");
    session.send(EngineAssign::default());
    let kept = || std::fs::read_dir(folder.path().join("packages")).unwrap().count();
    let end = tokio::time::Instant::now() + Duration::from_secs(10);
    while kept() > 0 && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(kept(), 0, "packages that are not assigned are removed");
}

#[tokio::test]
async fn another_package_than_announced_is_not_even_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _agent, mut session) = started(folder.path()).await;
    let path = package_path("some_engine", "1.0.0");
    host.state.packages.lock().unwrap().insert(path, (Bytes::from_static(b"other"), None));
    session.send(EngineAssign { engines: vec![assigned(b"thing")], ..EngineAssign::default() });
    let failed = report(&mut session, |report| report.state == EngineState::Failed).await;
    assert_eq!(failed.code, "digest_mismatch");
}

#[tokio::test]
async fn a_forbidden_engine_is_not_even_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let (host, _agent, mut session) = started(folder.path()).await;
    std::fs::write(folder.path().join("policy.toml"), "[engines]\ndeny = [\"some_*\"]").unwrap();
    session.send(EngineAssign { engines: vec![assigned(b"thing")], ..EngineAssign::default() });
    let refused = report(&mut session, |report| report.state == EngineState::Refused).await;
    assert_eq!(refused.code, "forbidden_by_policy");
    assert!(host.state.ranges.lock().unwrap().is_empty());
}
