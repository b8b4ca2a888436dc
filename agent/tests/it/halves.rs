//! Agent halves, whole way: signed package, licence, load, commands with output, cancel, deadline; and what is refused.

use std::{path::PathBuf, sync::OnceLock, time::Duration};

use agent_protocol::{
    Frame,
    engine::{AssignedEngine, EngineAssign, EngineReport, EngineState},
    enroll::package_path,
    inventory::Digest,
    task::{Cancel, Command, EngineNeed, Outcome, OutputAck, ResultAck, Stream, TaskResult},
};
use chrono::Utc;
use license_issuer::development;
use licenses::InstanceKey;
use plugin_api::services::license::Proof;
use uuid::Uuid;

use crate::host::{AgentProcess, HostSession, TestHost, now_ms};

const MANIFEST: &str = r#"
id = "half"
name = "Half"
description = "An agent half for tests."
version = "1.0.0"
publisher = "DEVELOPMENT ONLY publisher"
tier = "enterprise"
api = "^0.1"
entitlement = "half"
commands = [
  { name = "say", description = "Says lines.", timeout_s = 60 },
  { name = "wait", description = "Waits.", timeout_s = 60 },
  { name = "stubborn", description = "Does not listen.", timeout_s = 60 },
  { name = "licenses", description = "Counts new licences.", timeout_s = 60 },
  { name = "fail", description = "Fails.", timeout_s = 60 },
]
"#;

/// The example library that Cargo builds beside the tests.
fn library() -> Vec<u8> {
    let mut folder = PathBuf::from(env!("CARGO_BIN_EXE_sysmanage-agent"));
    folder.pop();
    let path = folder.join("examples").join("libagent_half.so");
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `cargo build --examples`", path.display()))
}

/// Packed once for all tests, and fast rather than small.
fn package() -> Vec<u8> {
    static PACKAGE: OnceLock<Vec<u8>> = OnceLock::new();
    PACKAGE.get_or_init(pack).clone()
}

fn pack() -> Vec<u8> {
    let mut draft = plugin_packager::Draft::new(MANIFEST, Utc::now()).unwrap();
    draft.library(sysmanage_agent::facts::TARGET, library());
    draft.file("sbom.cdx.json", b"{}".to_vec());
    draft.file("LICENSE", b"Test.".to_vec());
    draft.file("CHANGELOG.md", b"# 1.0.0".to_vec());
    let package = draft.seal().unwrap();
    let signatures = package.signed_by(&development::publisher_signer()).unwrap();
    let mut bytes = Vec::new();
    package.write_at(1, &signatures, &mut bytes).unwrap();
    bytes
}

fn proof(engines: &[&str]) -> Vec<u8> {
    let now = Utc::now();
    let key = InstanceKey::from_pkcs8(&InstanceKey::generate().unwrap()).unwrap();
    let tokens = vec![development::license(engines, now)];
    let signature = key.prove(&tokens, None, "nonce", now);
    let proof = Proof {
        tokens,
        revocations: None,
        instance_public_key: key.public_key().to_string(),
        nonce: "nonce".into(),
        signature,
        now_unix_ms: now.timestamp_millis(),
    };
    serde_json::to_vec(&proof).unwrap()
}

fn assigned(package: &[u8], engines: &[&str]) -> EngineAssign {
    let engine = AssignedEngine {
        id: "half".into(),
        version: "1.0.0".into(),
        digest: Digest::new(sysmanage_agent::inventory::digest(package)),
        size: package.len() as u64,
        license_proof: proof(engines).into(),
    };
    EngineAssign { engines: vec![engine], ..EngineAssign::default() }
}

fn command(name: &str, payload: &str) -> Command {
    Command {
        task_id: Uuid::now_v7(),
        name: format!("half.{name}"),
        payload: payload.as_bytes().to_vec().into(),
        deadline: now_ms() + 60_000,
        engine: Some(EngineNeed { id: "half".into(), version: "1.0.0".into() }),
        attempt: 1,
    }
}

struct Scene {
    _folder: tempfile::TempDir,
    host: TestHost,
    agent: AgentProcess,
    session: HostSession,
    package: Vec<u8>,
}

async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder.path());
    std::fs::write(folder.path().join("agent.toml"), "[tasks]\ngrace_s = 1\n").unwrap();
    let package = package();
    host.state.packages.lock().unwrap().insert(package_path("half", "1.0.0"), (package.clone().into(), None));
    agent.enrol(&host).await;
    agent.run();
    let session = host.session().await;
    Scene { _folder: folder, host, agent, session, package }
}

async fn settled(session: &mut HostSession) -> EngineReport {
    let report = session.wait(|frame| match frame {
        Frame::EngineStatus(status) => status.engines.into_iter().find(|r| r.state != EngineState::Fetching),
        _ => None,
    });
    report.await
}

/// Everything a task says until its result, acknowledged as a host does.
async fn run(session: &mut HostSession, command: Command) -> (TaskResult, Vec<u8>, Vec<u8>) {
    let task_id = command.task_id;
    session.send(command);
    collect(session, task_id).await
}

async fn collect(session: &mut HostSession, task_id: Uuid) -> (TaskResult, Vec<u8>, Vec<u8>) {
    let (mut out, mut err, mut next) = (Vec::new(), Vec::new(), 0);
    loop {
        let frame = session.wait(|frame| match frame {
            Frame::Output(output) if output.task_id == task_id => Some(Frame::Output(output)),
            Frame::Result(result) if result.task_id == task_id => Some(Frame::Result(result)),
            _ => None,
        });
        match frame.await {
            Frame::Output(output) => {
                assert_eq!(output.seq, next, "in order, without holes");
                next += 1;
                match output.stream {
                    Stream::Stdout => out.extend_from_slice(&output.data),
                    Stream::Stderr => err.extend_from_slice(&output.data),
                }
                session.send(OutputAck { task_id, seq: output.seq, full: false });
            }
            Frame::Result(result) => {
                assert_eq!(result.output_chunks, next, "the result comes after all output");
                session.send(ResultAck { task_id });
                return (result, out, err);
            }
            _ => unreachable!(),
        }
    }
}

#[tokio::test]
async fn a_licensed_half_is_loaded_and_runs_commands_and_again_after_a_restart_without_the_package() {
    let mut scene = scene().await;
    // The command is there before its engine: it waits for it.
    let early = command("say", "3");
    scene.session.send(early.clone());
    scene.session.send(assigned(&scene.package, &["half"]));
    let report = settled(&mut scene.session).await;
    assert_eq!(report.state, EngineState::Loaded, "{report:?}");
    assert_eq!(collect(&mut scene.session, early.task_id).await.0.payload.as_slice(), b"3");

    let (result, out, err) = run(&mut scene.session, command("say", "20000")).await;
    assert_eq!((result.outcome, result.payload.as_slice()), (Outcome::Succeeded, &b"20000"[..]));
    let line = |n: u64| format!("line {n} {}\n", "x".repeat(90));
    let wanted: String = (0..20_000).filter(|n| n % 10 != 9).map(line).collect();
    assert!(out == wanted.as_bytes(), "two megabytes of output come whole and in order");
    assert_eq!(err.iter().filter(|b| **b == b'\n').count(), 2000);

    let (result, ..) = run(&mut scene.session, command("fail", "")).await;
    assert_eq!((result.outcome, result.error.unwrap().code.as_str()), (Outcome::Failed, "no_luck"));
    let (result, ..) = run(&mut scene.session, command("nonsense", "")).await;
    assert_eq!(result.error.unwrap().code, "unknown_command");
    assert!(scene.agent.log().contains("the half starts"), "an engine's log is in the agent's");

    // A renewed licence reaches the half that runs; a command after it finds it there, sooner or later.
    scene.session.send(assigned(&scene.package, &["half"]));
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while run(&mut scene.session, command("licenses", "")).await.0.payload.as_slice() != b"1" {
        assert!(std::time::Instant::now() < deadline, "the half does not hear of the licence");
    }

    scene.agent.kill_9();
    scene.host.state.packages.lock().unwrap().clear();
    scene.agent.run();
    let mut session = scene.host.session().await;
    let (result, ..) = run(&mut session, command("say", "1")).await;
    assert_eq!(result.outcome, Outcome::Succeeded);
    session.send(EngineAssign::default());
    let gone =
        session.wait(|frame| matches!(frame, Frame::EngineStatus(s) if s.engines.is_empty()).then_some(()));
    gone.await;
    let (result, ..) = run(&mut session, Command { deadline: now_ms() + 1000, ..command("say", "1") }).await;
    assert_eq!(result.error.unwrap().code, "engine_missing");
}

#[tokio::test]
async fn commands_end_when_cancelled_when_late_and_even_when_they_do_not_listen() {
    let mut scene = scene().await;
    scene.session.send(assigned(&scene.package, &["half"]));
    assert_eq!(settled(&mut scene.session).await.state, EngineState::Loaded);

    let waiting = command("wait", "");
    scene.session.send(waiting.clone());
    scene
        .session
        .wait(|frame| matches!(frame, Frame::Started(s) if s.task_id == waiting.task_id).then_some(()))
        .await;
    scene.session.send(Cancel { task_id: waiting.task_id });
    let (result, ..) = collect(&mut scene.session, waiting.task_id).await;
    assert_eq!((result.outcome, result.error.unwrap().code.as_str()), (Outcome::Cancelled, "told_to_stop"));

    let (result, ..) =
        run(&mut scene.session, Command { deadline: now_ms() + 700, ..command("wait", "") }).await;
    assert_eq!(result.outcome, Outcome::TimedOut);

    let stubborn = Command { deadline: now_ms() + 300, ..command("stubborn", "") };
    let begun = std::time::Instant::now();
    let (result, ..) = run(&mut scene.session, stubborn).await;
    assert_eq!((result.outcome, result.error.unwrap().code.as_str()), (Outcome::TimedOut, "engine_hangs"));
    assert!(begun.elapsed() < Duration::from_secs(10));
    let (result, ..) = run(&mut scene.session, command("say", "1")).await;
    assert_eq!(result.outcome, Outcome::Succeeded, "the rest goes on");
    assert!(scene.agent.stop().await.success(), "a thread that does not come back does not hold up the end");
}

#[tokio::test]
async fn kill_9_while_a_command_runs_is_told_as_interrupted() {
    let mut scene = scene().await;
    scene.session.send(assigned(&scene.package, &["half"]));
    settled(&mut scene.session).await;
    let waiting = command("wait", "");
    scene.session.send(waiting.clone());
    scene.session.wait(|frame| matches!(frame, Frame::Output(_)).then_some(())).await;
    scene.agent.kill_9();
    scene.agent.run();
    let mut session = scene.host.session().await;
    let (result, out, _) = collect(&mut session, waiting.task_id).await;
    assert_eq!(result.outcome, Outcome::Interrupted);
    assert_eq!(result.error.unwrap().code, "agent_restarted");
    assert_eq!(out, b"waiting", "what it had said is kept");
}

#[tokio::test]
async fn without_a_licence_for_it_or_with_a_flipped_byte_a_half_is_refused() {
    let mut scene = scene().await;
    scene.session.send(assigned(&scene.package, &["another_engine"]));
    let report = settled(&mut scene.session).await;
    assert_eq!((report.state, report.code.as_str()), (EngineState::Refused, "license_required"));
    assert!(report.message.contains("engine_not_included"), "{}", report.message);
    let (result, ..) = run(&mut scene.session, command("say", "1")).await;
    assert_eq!((result.outcome, result.error.unwrap().code.as_str()), (Outcome::Refused, "license_required"));

    // The licence comes, and goes again, without a restart.
    scene.session.send(assigned(&scene.package, &["half"]));
    let loaded = scene.session.wait(|frame| match frame {
        Frame::EngineStatus(status) => status.engines.into_iter().find(|r| r.state == EngineState::Loaded),
        _ => None,
    });
    loaded.await;
    scene.session.send(assigned(&scene.package, &["another_engine"]));
    assert_eq!(settled(&mut scene.session).await.code, "license_required");

    let mut flipped = scene.package.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let path = package_path("half", "1.0.0");
    scene.host.state.packages.lock().unwrap().insert(path, (flipped.clone().into(), None));
    scene.session.send(assigned(&flipped, &["half"]));
    let refused = scene.session.wait(|frame| match frame {
        Frame::EngineStatus(status) => status
            .engines
            .into_iter()
            .find(|r| r.state == EngineState::Refused && r.code != "license_required"),
        _ => None,
    });
    let code = refused.await.code;
    assert!(matches!(code.as_str(), "digest_mismatch" | "malformed_archive" | "truncated"), "{code}");
}
