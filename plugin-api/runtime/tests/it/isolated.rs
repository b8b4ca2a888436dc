//! The library in a child process: the same behaviour, and none of its faults.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use plugin_runtime::{
    Body, EngineInstance, InstanceState, IsolatedOptions, Mode, StartError, start_isolated,
};

use crate::host::{Host, behaves, eventually, fetch, get, post, problem_code, read, within};
use crate::kit::{package, package_named};

pub fn options() -> IsolatedOptions {
    IsolatedOptions {
        program: env!("CARGO_BIN_EXE_plugin-worker").into(),
        args: Vec::new(),
        heartbeat: Duration::from_millis(100),
        silence: Duration::from_millis(1500),
        backoff: Duration::from_millis(10),
        ..IsolatedOptions::default()
    }
}

pub async fn started(host: &Arc<Host>) -> Arc<dyn EngineInstance> {
    start_isolated(&package(), host.services(), options()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_serves_from_a_process_of_its_own() {
    let host = Arc::new(Host::default());
    let engine = started(&host).await;
    assert_eq!(engine.mode(), Mode::Isolated);
    behaves(&engine, &host).await;
    eventually("the cancelled call is cancelled here too", || {
        host.cancelled.load(std::sync::atomic::Ordering::SeqCst) == 1
    })
    .await;
    assert_eq!(engine.stats().crashed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_sets_the_pace_across_processes() {
    let engine = started(&Arc::default()).await;
    let mut body = engine.handle(get("/big?1000"), &within(20_000)).await.into_body();
    body.frame().await.unwrap().unwrap();
    let produced = || async {
        let answer = engine.call("produced", Vec::new(), Duration::from_secs(5)).await.unwrap();
        String::from_utf8(answer).unwrap().parse::<usize>().unwrap()
    };
    let ahead = produced().await;
    assert!(ahead <= 12, "{ahead} pieces of 32 KiB for a window of 256 KiB");
    drop(body);
    eventually("the answer is over", || engine.stats().in_flight == 0).await;
    assert!(produced().await <= 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_request_body_is_let_go() {
    let engine = started(&Arc::default()).await;
    let endless = futures_util::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(http_body::Frame::data(vec![1; 1000].into()))
    });
    let body = Body::new(http_body_util::StreamBody::new(endless));
    let answer = engine.handle(post("/first", body), &within(20_000)).await;
    assert_eq!(read(answer).await, (200, "1000".into()));
}

/// A fault costs the requests in flight and nothing else.
async fn survives(path: &'static str, report: &str) {
    let host = Arc::new(Host::default());
    let engine = started(&host).await;
    let waiting = {
        let engine = engine.clone();
        tokio::spawn(async move { fetch(&engine, "/pending").await })
    };
    eventually("one waits", || engine.stats().in_flight == 1).await;
    let (status, body) = fetch(&engine, path).await;
    assert_eq!((status, problem_code(&body).as_str()), (503, "engine_crashed"));
    assert!(body.contains(report), "{body}");
    let (status, body) = waiting.await.unwrap();
    assert_eq!((status, problem_code(&body).as_str()), (503, "engine_crashed"));
    assert_eq!(fetch(&engine, "/hello").await, (200, "hello".into()), "calls wait for the restart");
    assert_eq!(engine.stats().crashed, 1);
    assert_eq!(*engine.state().borrow(), InstanceState::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segmentation_fault_costs_only_what_was_in_flight() {
    survives("/segfault", "segmentation fault").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_costs_only_what_was_in_flight() {
    survives("/abort", "abort").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_costs_only_what_was_in_flight() {
    survives("/exit", "exit code 7").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_is_ended_and_the_engine_restarted() {
    let engine = started(&Arc::default()).await;
    let late = read(engine.handle(get("/hang"), &within(100)).await).await;
    assert_eq!(problem_code(&late.1), "deadline_exceeded");
    assert_eq!(fetch(&engine, "/hello").await.0, 200, "one blocked thread does not stop the others");
    eventually("the hang is noticed", || engine.stats().crashed == 1).await;
    assert_eq!(fetch(&engine, "/hello").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_from_outside_comes_back() {
    let engine = started(&Arc::default()).await;
    let before = worker_of(&engine).await;
    rustix::process::kill_process(before, rustix::process::Signal::KILL).unwrap();
    eventually("its end is noticed", || engine.stats().crashed == 1).await;
    assert_eq!(fetch(&engine, "/hello").await.0, 200);
    assert_ne!(worker_of(&engine).await, before);
}

/// The engine's process, as it says itself.
async fn worker_of(engine: &Arc<dyn EngineInstance>) -> rustix::process::Pid {
    let (_, pid) = fetch(engine, "/probe?pid").await;
    rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_a_dead_engine_are_abandoned() {
    let host = Arc::new(Host::default());
    let engine = started(&host).await;
    let left = {
        let engine = engine.clone();
        tokio::spawn(async move { fetch(&engine, "/sql?leave-open").await })
    };
    eventually("the transaction is open", || host.open.lock().unwrap().len() == 1).await;
    fetch(&engine, "/abort").await;
    assert_eq!(left.await.unwrap().0, 503);
    assert_eq!(*host.abandoned.lock().unwrap(), [1]);
    assert!(host.open.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_transactions_are_out_of_reach() {
    let engine = started(&Arc::default()).await;
    let (_, answer) = fetch(&engine, "/sql?foreign").await;
    assert!(answer.contains("unknown_transaction"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_too_often_is_quarantined() {
    let options = IsolatedOptions { max_crashes: 3, ..options() };
    let engine = start_isolated(&package(), Arc::new(Host::default()).services(), options).await.unwrap();
    for _ in 0..3 {
        assert_eq!(fetch(&engine, "/abort").await.0, 503);
    }
    let mut state = engine.state();
    let over = state.wait_for(|s| matches!(s, InstanceState::Quarantined { .. }));
    let over = tokio::time::timeout(Duration::from_secs(10), over).await.unwrap().unwrap().clone();
    assert!(matches!(over, InstanceState::Quarantined { report } if report.contains("abort")));
    let (status, body) = fetch(&engine, "/hello").await;
    assert_eq!((status, problem_code(&body).as_str()), (503, "engine_unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_start_says_why() {
    let host = Arc::new(Host::default());
    let start = |name: &'static str| async {
        let options = IsolatedOptions { start_deadline: Duration::from_secs(3), ..options() };
        start_isolated(&package_named(name), host.services(), options).await.err().unwrap()
    };
    assert_eq!(start("fails").await.code(), "no_luck");
    assert!(matches!(start("aborts").await, StartError::Crashed(report) if report.contains("abort")));
    let begun = Instant::now();
    assert!(matches!(start("hangs").await, StartError::Deadline(_) | StartError::Engine(_)));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn this_program_is_started_again_by_default() {
    // The test program is no worker: with this argument it only lists its tests.
    let own = IsolatedOptions { args: vec!["--list".into()], ..IsolatedOptions::default() };
    let error = start_isolated(&package(), Arc::new(Host::default()).services(), own).await.err().unwrap();
    assert!(matches!(&error, StartError::Crashed(report) if report.contains("exit code")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_none_is_told() {
    let host = Arc::new(Host::default());
    let none = IsolatedOptions { program: "/nowhere/worker".into(), ..options() };
    let error = start_isolated(&package(), host.services(), none).await.err().unwrap();
    assert!(matches!(error, StartError::Process(_)), "{error}");
    let other = IsolatedOptions { program: "/bin/cat".into(), ..options() };
    let error = start_isolated(&package(), host.services(), other).await.err().unwrap();
    assert!(matches!(error, StartError::Crashed(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_or_stopped_engine_takes_its_process_along() {
    let engine = started(&Arc::default()).await;
    let worker = worker_of(&engine).await;
    engine.shutdown(Duration::from_secs(5)).await;
    assert_eq!(*engine.state().borrow(), InstanceState::Stopped);
    eventually("the stopped one is gone", || rustix::process::test_kill_process(worker).is_err()).await;
    let engine = started(&Arc::default()).await;
    let worker = worker_of(&engine).await;
    drop(engine);
    eventually("the dropped one is gone", || rustix::process::test_kill_process(worker).is_err()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_share_one_process() {
    let engine = started(&Arc::default()).await;
    let call = |n: usize| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let body = format!("{n}").repeat(n % 50_000);
            let answer = engine.handle(post("/echo", Body::full(body.clone())), &within(20_000)).await;
            assert_eq!(read(answer).await, (200, body));
        })
    };
    let calls: Vec<_> = (0..300).map(|n| call(n * 173)).collect();
    for call in calls {
        call.await.unwrap();
    }
    eventually("nothing runs", || engine.stats().in_flight == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_for_no_timer() {
    let engine = started(&Arc::default()).await;
    let context = within(60_000);
    let begun = Instant::now();
    for _ in 0..1000 {
        assert_eq!(engine.handle(get("/hello"), &context).await.status(), 200);
    }
    let each = begun.elapsed() / 1000;
    // Generous, for busy machines and unoptimised builds; a tick of any timer would be more.
    assert!(each < Duration::from_millis(5), "{each:?} a call");
}
