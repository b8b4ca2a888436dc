//! Enrolment and sessions against a host with real TLS.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Duration,
};

use agent_protocol::{
    Frame,
    inventory::{InventoryAck, InventoryRequest, SectionDigest},
    items,
    metrics::{SamplesAck, Watch},
    session::{CertificateAnswer, Goodbye, Ping, Policy},
    task::{Cancel, Command, Outcome, ResultAck, TaskResult},
};
use sysmanage_agent::{
    inventory::SECTIONS,
    metrics::{figures::Figures, recorder::Recorder},
};
use uuid::Uuid;

use crate::host::{AgentProcess, HostSession, PATIENCE, TOKEN, TestHost, now_ms};

fn named(name: &str) -> Command {
    Command {
        task_id: Uuid::now_v7(),
        name: name.into(),
        payload: b"{}".to_vec().into(),
        deadline: now_ms() + 60_000,
        engine: None,
        attempt: 1,
    }
}

async fn result_of(session: &mut HostSession, task: Uuid) -> TaskResult {
    let result = session.wait(|frame| match frame {
        Frame::Result(result) if result.task_id == task => Some(result),
        _ => None,
    });
    let result = result.await;
    session.send(ResultAck { task_id: task });
    result
}

async fn started() -> (tempfile::TempDir, TestHost, AgentProcess, HostSession) {
    let folder = tempfile::tempdir().unwrap();
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    agent.run();
    let session = host.session().await;
    (folder, host, agent, session)
}

#[tokio::test]
async fn a_machine_enrols_waits_for_approval_connects_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = TestHost::start().await;
    host.state.approved.store(false, Ordering::SeqCst);
    let mut agent = AgentProcess::new(folder.path());
    let state = std::sync::Arc::clone(&host.state);
    tokio::spawn(async move {
        while state.polls.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        state.approved.store(true, Ordering::SeqCst);
    });
    agent.enrol(&host).await;
    agent.run();
    let mut session = host.session().await;
    let hello = &session.hello;
    assert_eq!(hello.facts.os_family, "linux");

    let status = agent.command(&["status", "--json"]).await;
    assert!(status.status.success(), "{status:?}");
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["agent"]["connection"], "connected");
    assert_eq!(status["machine_id"], host.state.machine_id.to_string());

    assert!(agent.stop().await.success());
    let goodbye = session.wait(|frame| match frame {
        Frame::Goodbye(goodbye) => Some(goodbye.code),
        _ => None,
    });
    assert_eq!(goodbye.await, "agent_stopping");
    let log = agent.log();
    assert!(!log.contains(TOKEN) && !log.contains("a-secret-handle"), "no secret in the log");
}

#[tokio::test]
async fn a_server_with_another_authority_gets_neither_token_nor_key() {
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::start().await;
    let agent = AgentProcess::new(folder.path());
    let wrong = "00".repeat(32);
    let output =
        agent.command(&["enroll", "--server", &host.url, "--token", TOKEN, "--ca-fingerprint", &wrong]).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("this is another server") && said.contains(&host.state.fingerprint()), "{said}");
    assert!(!folder.path().join("enrolment.json").exists());
}

#[tokio::test]
async fn trust_on_first_use_says_whom_it_trusts() {
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::start().await;
    let agent = AgentProcess::new(folder.path());
    let output = agent.command(&["enroll", "--server", &host.url, "--token", TOKEN]).await;
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("NOTE") && said.contains(&host.state.fingerprint()), "{said}");
}

#[tokio::test]
async fn a_wrong_token_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let host = TestHost::start().await;
    let agent = AgentProcess::new(folder.path());
    let output = agent.command(&["enroll", "--server", &host.url, "--token", "wrong"]).await;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown_token"));
}

#[tokio::test]
async fn commands_are_accepted_started_and_answered() {
    let (_folder, _host, _agent, mut session) = started().await;
    let ping = named("core.ping");
    session.send(ping.clone());
    let mut seen = Vec::new();
    let result = session.wait(|frame| {
        seen.push(frame.kind());
        match frame {
            Frame::Result(result) => Some(result),
            _ => None,
        }
    });
    let result = result.await;
    seen.retain(|kind| matches!(*kind, "command_accepted" | "started" | "result"));
    seen.sort_unstable();
    assert_eq!(seen, ["command_accepted", "result", "started"]);
    assert_eq!((result.task_id, result.outcome), (ping.task_id, Outcome::Succeeded));
    assert!(String::from_utf8_lossy(&result.payload).contains("agent_version"));

    session.send(Command { attempt: 2, ..ping.clone() });
    let duplicate = session.wait(|frame| match frame {
        Frame::CommandAccepted(accepted) if accepted.task_id == ping.task_id => Some(accepted.duplicate),
        _ => None,
    });
    assert!(duplicate.await, "the same id is not run again");
    assert_eq!(result_of(&mut session, ping.task_id).await, result, "but answered again");
}

#[tokio::test]
async fn what_may_not_run_is_refused_with_a_code() {
    let (folder, _host, _agent, mut session) = started().await;
    std::fs::write(folder.path().join("policy.toml"), "[commands]\ndeny = [\"core.refresh_*\"]").unwrap();
    let late = Command { deadline: now_ms() - 1, ..named("core.ping") };
    let cases = [
        (late, "deadline_passed"),
        (named("core.nonsense"), "unknown_command"),
        (named("nonsense"), "unknown_command"),
        (named("core.refresh_inventory"), "forbidden_by_policy"),
        (named("nonsense_engine.run"), "engine_missing"),
    ];
    for (mut command, code) in cases {
        if code == "engine_missing" {
            // Counted from now: the cases before may have taken long.
            command.deadline = now_ms() + 1500;
        }
        session.send(command.clone());
        let result = result_of(&mut session, command.task_id).await;
        assert_eq!(result.outcome, Outcome::Refused, "{code}");
        assert_eq!(result.error.unwrap().code, code);
        assert_eq!(result.started_at, None);
    }
}

#[tokio::test]
async fn deadlines_are_by_the_hosts_clock() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = TestHost::start().await;
    *host.state.server_time_offset.lock().unwrap() = -3_600_000;
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    agent.run();
    let mut session = host.session().await;
    let command = Command { deadline: now_ms() - 3_600_000 + 30_000, ..named("core.ping") };
    session.send(command.clone());
    assert_eq!(result_of(&mut session, command.task_id).await.outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn a_task_that_never_came_can_be_cancelled_and_then_does_not_run() {
    let (_folder, _host, _agent, mut session) = started().await;
    let command = named("core.ping");
    session.send(Cancel { task_id: command.task_id });
    let result = session.wait(|frame| match frame {
        Frame::Result(result) => Some(result),
        _ => None,
    });
    assert_eq!(result.await.outcome, Outcome::Cancelled);
    session.send(command.clone());
    assert_eq!(result_of(&mut session, command.task_id).await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn inventory_is_sent_as_asked_with_its_digest() {
    let (_folder, _host, _agent, mut session) = started().await;
    session.send(InventoryRequest { names: Vec::new(), refresh: false, bases: Vec::new() });
    let mut sections = BTreeMap::new();
    while sections.len() < SECTIONS.len() {
        let section = session.wait(|frame| match frame {
            Frame::InventorySection(section) => Some(section),
            _ => None,
        });
        let section = section.await;
        assert_eq!(sysmanage_agent::inventory::digest(&section.data), *section.digest.bytes());
        let value: serde_json::Value = serde_json::from_slice(&section.data).unwrap();
        sections.insert(section.name, value);
    }
    assert!(sections["packages"]["packages"].as_array().unwrap().len() > 50);
}

/// A machine in a folder, for an agent whose data is beside it. It has these packages and a user.
fn small_machine(folder: &Path, packages: std::ops::Range<u32>) -> PathBuf {
    let root = folder.join("root");
    for dir in ["var/lib/dpkg", "proc/self", "etc"] {
        std::fs::create_dir_all(root.join(dir)).unwrap();
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    install(&root, packages);
    std::fs::write(folder.join("agent.toml"), format!("root = {:?}\n", root.to_str().unwrap())).unwrap();
    root
}

fn entries(packages: std::ops::Range<u32>) -> String {
    let entry = |n| format!("Package: p{n}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n");
    packages.map(entry).collect()
}

/// As dpkg does: a new file, renamed over the old.
fn install(root: &Path, packages: std::ops::Range<u32>) {
    let dpkg = root.join("var/lib/dpkg");
    std::fs::write(dpkg.join("status-new"), entries(packages)).unwrap();
    std::fs::rename(dpkg.join("status-new"), dpkg.join("status")).unwrap();
}

/// A database of packages that nobody can read before [`install`], or before it is written to.
fn lock_packages(root: &Path) -> PathBuf {
    let database = root.join("var/lib/dpkg/status");
    std::fs::remove_file(&database).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&database).status().unwrap().success());
    database
}

#[tokio::test]
async fn an_agent_connects_before_it_has_collected_everything() {
    let folder = tempfile::tempdir().unwrap();
    let root = small_machine(folder.path(), 0..1);
    let database = lock_packages(&root);
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    agent.run();
    let mut session = host.session().await;
    let known: Vec<_> = session.hello.sections.iter().map(|section| section.name.as_str()).collect();
    assert!(!known.contains(&"packages"), "{known:?}");
    // The agent has the database open already, and reads on when this is written; from then on it is a file.
    let unblock = move || {
        let mut database = std::fs::OpenOptions::new().write(true).open(database).unwrap();
        install(&root, 0..3);
        std::io::Write::write_all(&mut database, entries(0..3).as_bytes()).unwrap();
    };
    tokio::task::spawn_blocking(unblock).await.unwrap();
    let Frame::InventorySection(section) = packages(&mut session).await else { panic!("a delta of nothing") };
    assert!(String::from_utf8_lossy(&section.data).contains("\"name\":\"p2\""));
}

#[tokio::test]
async fn an_agent_that_starts_again_knows_what_the_host_has() {
    let folder = tempfile::tempdir().unwrap();
    let root = small_machine(folder.path(), 0..3);
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    agent.run();
    let mut session = host.session().await;
    session.send(InventoryRequest { names: Vec::new(), refresh: false, bases: Vec::new() });
    let mut stored = BTreeMap::new();
    while stored.len() < SECTIONS.len() {
        let section = session.wait(|frame| match frame {
            Frame::InventorySection(section) => Some(section),
            _ => None,
        });
        let section = section.await;
        session.send(InventoryAck { name: section.name.clone(), digest: section.digest });
        stored.insert(section.name, section.digest);
    }
    // The answer to a ping comes after the acknowledgements were read.
    session.send(Ping { nonce: 7 });
    session.wait(|frame| matches!(frame, Frame::Pong(_)).then_some(())).await;
    agent.kill_9();
    let database = lock_packages(&root);
    let users = "root:x:0:0:root:/root:/bin/sh\nnew:x:9:9::/:/bin/sh\n";
    std::fs::write(root.join("etc/passwd"), users).unwrap();
    agent.run();
    let mut session = host.session().await;
    let told: BTreeMap<_, _> =
        session.hello.sections.iter().map(|section| (section.name.clone(), section.digest)).collect();
    assert_eq!(told["packages"], stored["packages"], "what cannot be collected yet is remembered");
    assert!(told.keys().eq(stored.keys()), "{told:?}");
    let base = SectionDigest { name: "users".into(), digest: stored["users"] };
    session.send(InventoryRequest { names: vec!["users".into()], refresh: false, bases: vec![base] });
    let change = session.wait(|frame| match frame {
        Frame::InventoryDelta(delta) if delta.name == "users" => Some(delta),
        Frame::InventorySection(section) => panic!("{} travels whole, and the host has it", section.name),
        _ => None,
    });
    assert_eq!(change.await.base, stored["users"]);
    // Let go of a reader that waits.
    drop(std::fs::OpenOptions::new().read(true).write(true).open(database).unwrap());
}

#[tokio::test]
async fn a_change_of_the_package_database_is_sent_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let root = small_machine(folder.path(), 0..1);
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    agent.run();
    let mut session = host.session().await;
    let begun = std::time::Instant::now();
    install(&root, 0..2);
    let told = session.wait(|frame| match frame {
        Frame::InventorySection(section) if section.name == "packages" => {
            String::from_utf8_lossy(&section.data).contains("\"name\":\"p1\"").then_some(())
        }
        _ => None,
    });
    told.await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// Wait for what the agent says of the packages unasked.
async fn packages(session: &mut HostSession) -> Frame {
    let told = |frame| match &frame {
        Frame::InventorySection(section) if section.name == "packages" => Some(frame),
        Frame::InventoryDelta(delta) if delta.name == "packages" => Some(frame),
        _ => None,
    };
    session.wait(told).await
}

#[tokio::test]
async fn only_what_changed_travels_once_the_host_has_a_section() {
    let folder = tempfile::tempdir().unwrap();
    let root = small_machine(folder.path(), 0..20);
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    agent.run();
    let mut session = host.session().await;
    session.send(InventoryRequest { names: vec!["packages".into()], refresh: false, bases: Vec::new() });
    let Frame::InventorySection(first) = packages(&mut session).await else { panic!("a delta of nothing") };
    session.send(InventoryAck { name: "packages".into(), digest: first.digest });
    // The answer to a ping comes after the acknowledgement was read.
    session.send(Ping { nonce: 7 });
    session.wait(|frame| matches!(frame, Frame::Pong(_)).then_some(())).await;
    install(&root, 1..21);
    // Before it there may be all of it once more: it was collected at the start, and asked for.
    let delta = session.wait(|frame| match frame {
        Frame::InventoryDelta(delta) if delta.name == "packages" => Some(delta),
        Frame::InventorySection(section) if section.name == "packages" => {
            assert_eq!(section.digest, first.digest, "all of what changed");
            None
        }
        _ => None,
    });
    let delta = delta.await;
    assert_eq!(delta.base, first.digest);
    assert_eq!(delta.removed[0].keys, ["dpkg:p0:all"]);
    let upserts: serde_json::Value = serde_json::from_slice(&delta.upserts).unwrap();
    let names: Vec<_> = upserts["packages"].as_array().unwrap().iter().map(|p| p["name"].clone()).collect();
    assert_eq!(names, ["p20"]);
    // A host that could not apply it asks for all.
    session.send(InventoryRequest { names: vec!["packages".into()], refresh: false, bases: Vec::new() });
    let Frame::InventorySection(whole) = packages(&mut session).await else { panic!("not all of it") };
    assert_eq!(whole.digest, delta.digest);
    assert_eq!(items::check(&items::items(&whole.data).unwrap()), delta.check);
}

#[tokio::test]
async fn figures_that_an_agent_could_not_send_are_sent_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = TestHost::start().await;
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    let kept = folder.path().join("figures");
    let at = now_ms() - 3_600_000;
    let before = Recorder::open(&kept);
    before.keep(at, &Figures::from([("cpu.percent".to_owned(), 42.0)]));
    drop(before);
    for _ in 0..2 {
        // Killed before the host has acknowledged them: they come again.
        agent.run();
        let mut session = host.session().await;
        let samples = session.wait(|frame| match frame {
            Frame::Samples(samples) => Some(samples),
            _ => None,
        });
        let samples = samples.await;
        assert_eq!((samples.first, &*samples.series[0].name), (at, "cpu.percent"));
        agent.kill_9();
    }
    agent.run();
    let mut session = host.session().await;
    session.wait(|frame| matches!(frame, Frame::Samples(_)).then_some(())).await;
    session.send(SamplesAck { until: at });
    session.send(Ping { nonce: 7 });
    session.wait(|frame| matches!(frame, Frame::Pong(_)).then_some(())).await;
    agent.kill_9();
    assert_eq!(Recorder::open(&kept).waiting(), 0, "the host has them");
}

#[tokio::test]
async fn heartbeats_come_often_while_somebody_watches() {
    let (_folder, _host, _agent, mut session) = started().await;
    session.send(Watch { interval_ms: 1000, for_ms: 10_000 });
    for _ in 0..3 {
        let metrics = session.wait(|frame| match frame {
            Frame::Heartbeat(heartbeat) => heartbeat.metrics,
            _ => None,
        });
        assert!(metrics.await.memory_total > 0);
    }
    session.send(Ping { nonce: 42 });
    let pong = session.wait(|frame| match frame {
        Frame::Pong(pong) => Some(pong.nonce),
        _ => None,
    });
    assert_eq!(pong.await, 42);
}

#[tokio::test]
async fn unacknowledged_results_come_again_after_a_reconnect() {
    let (_folder, mut host, _agent, mut session) = started().await;
    let command = named("core.ping");
    session.send(command.clone());
    let first = session.wait(|frame| match frame {
        Frame::Result(result) => Some(result),
        _ => None,
    });
    let first = first.await;
    drop(session);
    let mut session = host.session().await;
    assert!(session.hello.tasks.iter().any(|note| note.task_id == command.task_id));
    assert_eq!(result_of(&mut session, command.task_id).await, first);
    session.send(Goodbye::new("host_stopping", "Back soon."));
    drop(session);
    let session = host.session().await;
    assert!(session.hello.tasks.is_empty(), "what was acknowledged is forgotten");
}

#[tokio::test]
async fn the_certificate_is_renewed_over_the_session_and_used_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = TestHost::start().await;
    *host.state.policy.lock().unwrap() =
        Policy { renew_certificate: true, heartbeat_interval_ms: 500, ..Policy::default() };
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    agent.run();
    let mut session = host.session().await;
    let csr = session.wait(|frame| match frame {
        Frame::CertificateRequest(request) => Some(request.csr_der),
        _ => None,
    });
    let chain_der = host.state.chain_der(&csr.await);
    let new = chain_der[0].to_vec();
    assert_ne!(session.certificate, new);
    session.send(CertificateAnswer::Issued { chain_der, not_after: now_ms() + 3_600_000 });
    session.send(Ping { nonce: 1 });
    session.wait(|frame| matches!(frame, Frame::Pong(_)).then_some(())).await;
    drop(session);
    assert_eq!(host.session().await.certificate, new);
}

#[tokio::test]
async fn an_agent_whose_certificate_ran_out_gets_a_new_one_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = TestHost::start().await;
    *host.state.certificate_life.lock().unwrap() = Duration::from_millis(1);
    let mut agent = AgentProcess::new(folder.path());
    agent.enrol(&host).await;
    *host.state.certificate_life.lock().unwrap() = Duration::from_secs(3600);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    agent.run();
    host.session().await;
    assert!(host.state.polls.load(Ordering::SeqCst) >= 1);
}

#[tokio::test]
async fn kill_9_of_the_agent_loses_and_repeats_nothing() {
    let (_folder, mut host, mut agent, mut session) = started().await;
    let mut open: BTreeMap<Uuid, Command> = BTreeMap::new();
    let mut results: BTreeMap<Uuid, TaskResult> = BTreeMap::new();
    for round in 0_u64..12 {
        for _ in 0..6 {
            let command = named("core.refresh_inventory");
            open.insert(command.task_id, command);
        }
        // As a host does: everything without a result is sent again.
        open.values().for_each(|command| session.send(command.clone()));
        let strike = tokio::time::Instant::now() + Duration::from_millis(10 + round * 29 % 150);
        while let Ok(Some(frame)) = tokio::time::timeout_at(strike, session.frames.recv()).await {
            take(&session, frame, &mut open, &mut results);
        }
        agent.kill_9();
        agent.run();
        session = host.session().await;
    }
    open.values().for_each(|command| session.send(command.clone()));
    while !open.is_empty() {
        let frame = tokio::time::timeout(PATIENCE, session.frames.recv()).await.expect("all end").unwrap();
        take(&session, frame, &mut open, &mut results);
    }
    assert_eq!(results.len(), 72);
    for result in results.values() {
        let fine = match result.outcome {
            Outcome::Succeeded => true,
            Outcome::Interrupted => result.error.as_ref().unwrap().code == "agent_restarted",
            _ => false,
        };
        assert!(fine, "{result:?}");
    }
}

/// Store a result and acknowledge it; one that comes again must say the same.
fn take(
    session: &HostSession,
    frame: Frame,
    open: &mut BTreeMap<Uuid, Command>,
    results: &mut BTreeMap<Uuid, TaskResult>,
) {
    let Frame::Result(result) = frame else { return };
    session.send(ResultAck { task_id: result.task_id });
    open.remove(&result.task_id);
    let before = results.entry(result.task_id).or_insert_with(|| result.clone());
    assert_eq!(before.outcome, result.outcome, "a result never changes");
}

#[tokio::test]
async fn a_machine_that_was_not_enrolled_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let agent = AgentProcess::new(folder.path());
    let output = agent.command(&["run"]).await;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("not enrolled"));
    let shown = agent.command(&["inventory", "cpu", "--json"]).await;
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown[0]["name"], "cpu");
    let checked = agent.command(&["policy", "check", "core.ping"]).await;
    assert!(checked.status.success());
}

#[tokio::test]
async fn another_host_under_the_same_name_is_not_talked_to() {
    let (folder, mut host, mut agent, session) = started().await;
    agent.kill_9();
    drop(session);
    let mut other = TestHost::start().await;
    let enrolment = folder.path().join("enrolment.json");
    let text = std::fs::read_to_string(&enrolment).unwrap().replace(&host.url, &other.url);
    std::fs::write(&enrolment, text).unwrap();
    agent.run();
    assert!(other.no_session_for(Duration::from_secs(2)).await);
    assert!(host.no_session_for(Duration::from_millis(1)).await);
}

/// `VmRSS`, what is in memory; `VmHWM`, the most that ever was.
fn kib(pid: u32, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Ticks of processor time.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn an_idle_agent_stays_within_its_budget() {
    let (_folder, _host, agent, mut session) = started().await;
    session.send(InventoryRequest { names: Vec::new(), refresh: false, bases: Vec::new() });
    let mut seen = std::collections::BTreeSet::new();
    let mut again = 0;
    let quiet = Duration::from_secs(4);
    // Until all came and nothing does any more; threads that are idle end after three seconds.
    while let Ok(name) =
        tokio::time::timeout(if seen.len() < SECTIONS.len() { PATIENCE } else { quiet }, async {
            session
                .wait(|frame| match frame {
                    Frame::InventorySection(section) => Some(section.name),
                    _ => None,
                })
                .await
        })
        .await
    {
        again += usize::from(!seen.insert(name));
    }
    let before = ticks(agent.pid());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (used, resident) = (ticks(agent.pid()) - before, kib(agent.pid(), "VmRSS:"));
    let most = kib(agent.pid(), "VmHWM:");
    assert!(used <= 1, "{used} ticks in five idle seconds");
    let shipped = std::env::var_os(crate::host::OTHER_PROGRAM);
    let budget = if shipped.is_some() { 12 << 10 } else { 48 << 10 };
    assert!(resident <= budget, "{resident} KiB are resident, {budget} are allowed");
    let budget = if shipped.is_some() { 16 << 10 } else { 64 << 10 };
    assert!(most <= budget, "{most} KiB were resident while it collected, {budget} are allowed");
    if let Some(program) = shipped {
        let size = std::fs::metadata(program).unwrap().len();
        assert!(size <= 8 << 20, "the program has {size} bytes");
        let said = format!(
            "resident: {resident} KiB, at most {most} KiB, sections twice: {again}, program: {size} bytes, processor: {used} ticks in 5 s\n"
        );
        std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
    }
}

#[test]
fn an_idle_day_of_heartbeats_and_figures_is_within_the_budget() {
    use agent_protocol::{metrics::Heartbeat, wire};
    use sysmanage_agent::{
        inventory::source::Root,
        metrics::{figures::Observer, recorder::Recorder},
    };
    // WebSocket header with mask, TLS record.
    let size = |frame: Frame| wire::encode(&frame).unwrap().iter().map(|p| p.len() + 8 + 22).sum::<usize>();
    let (mut observer, recorder) = (Observer::new(Root::default()), Recorder::default());
    observer.look();
    let mut day = 0;
    for minute in 0..24 * 60_i64 {
        let mut figures = observer.look();
        // Looks in a row tell no rates: an idle network, two disks and four processors, never twice the same.
        let noise = |n: i64, most: i64| ((minute * 7919 + n * 104_729) % most) as f64;
        let rates = [
            "net.received_bps",
            "net.sent_bps",
            "net.received_bps{eth0}",
            "net.sent_bps{eth0}",
            "disk.write_bps",
        ];
        figures.extend(rates.iter().zip(0..).map(|(name, n)| ((*name).to_owned(), noise(n, 4000))));
        figures.extend((0..4).map(|core| (format!("cpu.percent{{{core}}}"), noise(core, 30) / 10.0)));
        recorder.keep(1_790_000_000_000 + minute * 60_000, &figures);
        day += size(Heartbeat { seq: 1000, running_tasks: 0, metrics: None }.into());
        if minute % 10 == 9 {
            let samples = recorder.batch().unwrap();
            recorder.acknowledge(samples.first + 1000 * i64::from(*samples.offsets_s.last().unwrap()));
            day += size(samples.into())
                + size(agent_protocol::metrics::SamplesAck { until: 1_790_000_000_000 }.into());
        }
    }
    let said = format!("an idle day: {day} bytes\n");
    std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
    assert!(day <= 200_000, "{day} bytes");
}
