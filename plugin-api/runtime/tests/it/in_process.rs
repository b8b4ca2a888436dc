//! The library in this process.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use http_body_util::BodyExt;
use plugin_runtime::{
    Body, EngineInstance, HostServices, InProcessOptions, InstanceState, Mode, StartError, start_in_process,
};

use crate::host::{Host, behaves, eventually, fetch, get, post, problem_code, within};
use crate::kit::{bytes, package, package_named, real_draft, verify};

async fn started(host: &Arc<Host>) -> Arc<dyn EngineInstance> {
    start_in_process(&package(), host.services(), InProcessOptions::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_serves_in_this_process() {
    let host = Arc::new(Host::default());
    let engine = started(&host).await;
    assert_eq!(engine.mode(), Mode::InProcess);
    behaves(&engine, &host).await;
    assert_eq!(host.cancelled.load(SeqCst), 1, "the call past its deadline was cancelled at the host");
    assert_eq!(engine.stats().panicked, 2);
    assert_eq!(engine.stats().timed_out, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_package_loads_twice_without_shared_state() {
    let package = package();
    let host = Arc::new(Host::default());
    let start = || start_in_process(&package, host.services(), InProcessOptions::default());
    let (first, second) = (start().await.unwrap(), start().await.unwrap());
    assert_eq!(fetch(&first, "/big?3").await.0, 200);
    let produced = |e: Arc<dyn EngineInstance>| async move {
        e.call("produced", Vec::new(), Duration::from_secs(5)).await.unwrap()
    };
    assert_eq!(produced(first).await, b"3");
    assert_eq!(produced(second).await, b"0");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_produced_ahead_of_the_reader() {
    let engine = started(&Arc::default()).await;
    let mut body = engine.handle(get("/big?1000"), &within(20_000)).await.into_body();
    body.frame().await.unwrap().unwrap();
    let produced = engine.call("produced", Vec::new(), Duration::from_secs(5)).await.unwrap();
    assert_eq!(produced, b"1");
    assert_eq!(engine.stats().in_flight, 1, "a streaming answer counts as running");
    drop(body);
    eventually("the answer is over", || engine.stats().in_flight == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_engine_drains_and_refuses() {
    let engine = started(&Arc::default()).await;
    let body = engine.handle(get("/big?10"), &within(20_000)).await.into_body();
    let stopping = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown(Duration::from_secs(20)).await }
    });
    assert_eq!(fetch(&engine, "/hello").await.0, 200, "served while it drains");
    assert!(!stopping.is_finished(), "the answer still streams");
    assert_eq!(Body::collect(body, 1 << 20).await.unwrap().len(), 10 * (32 << 10));
    stopping.await.unwrap();
    assert_eq!(*engine.state().borrow(), InstanceState::Stopped);
    let (_, problem) = fetch(&engine, "/hello").await;
    assert_eq!(problem_code(&problem), "engine_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_runs_after_the_grace_is_cut_off() {
    let engine = started(&Arc::default()).await;
    let body = engine.handle(get("/big?1000"), &within(20_000)).await.into_body();
    let pending = tokio::spawn({
        let engine = engine.clone();
        async move { fetch(&engine, "/pending").await }
    });
    eventually("both run", || engine.stats().in_flight == 2).await;
    engine.shutdown(Duration::from_millis(100)).await;
    assert_eq!(pending.await.unwrap().0, 503);
    assert!(Body::collect(body, 64 << 20).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_not_there() {
    let host = Arc::new(Host::default());
    let services = HostServices { sql: None, services: Vec::new(), ..host.services() };
    let engine = start_in_process(&package(), services, InProcessOptions::default()).await.unwrap();
    assert_eq!(fetch(&engine, "/sql?query").await.1, "not granted");
    let error = engine.call("settings.get", Vec::new(), Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(error.code, "unknown_method");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_start_says_why() {
    let host = Arc::new(Host::default());
    let start = |name: &'static str| async {
        let options = InProcessOptions { start_deadline: Duration::from_millis(200), ..Default::default() };
        start_in_process(&package_named(name), host.services(), options).await.err().unwrap()
    };
    let failed = start("fails").await;
    assert_eq!(failed.code(), "no_luck");
    assert!(matches!(start("hangs").await, StartError::Deadline(_)));
}

async fn refused(change: impl FnOnce(&mut plugin_packager::Draft)) -> &'static str {
    let mut draft = real_draft();
    change(&mut draft);
    let package = verify(&bytes(&draft.seal().unwrap())).unwrap();
    let host = Arc::new(Host::default());
    match start_in_process(&package, host.services(), InProcessOptions::default()).await {
        Err(StartError::Refused(refusal)) => refusal.code(),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_is_not_what_its_manifest_says_is_refused() {
    assert_eq!(refused(|d| d.manifest_mut().version = "1.2.4".parse().unwrap()).await, "manifest_lies");
    assert_eq!(refused(|d| d.manifest_mut().commands.clear()).await, "manifest_lies");
    assert_eq!(refused(|d| d.manifest_mut().permissions.clear()).await, "manifest_lies");
    assert_eq!(refused(|d| d.library(plugin_runtime::TARGET, b"no library".to_vec())).await, "load_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_is_no_engine_is_refused() {
    // Any shared library of the system will do; libc is there wherever these tests run.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let libc =
        maps.lines().find_map(|l| l.split_whitespace().last().filter(|p| p.contains("/libc.so"))).unwrap();
    let libc = std::fs::read(libc).unwrap();
    let code = refused(|d| d.library(plugin_runtime::TARGET, libc)).await;
    assert!(matches!(code, "abi_mismatch" | "load_failed"), "{code}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_request_body_is_let_go() {
    let engine = started(&Arc::default()).await;
    let endless = futures_util::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(http_body::Frame::data(vec![1; 1000].into()))
    });
    let body = Body::new(http_body_util::StreamBody::new(endless));
    let answer = engine.handle(post("/first", body), &within(20_000)).await;
    assert_eq!(Body::collect(answer.into_body(), 100).await.unwrap(), "1000");
}
