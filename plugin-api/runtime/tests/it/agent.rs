//! Agent halves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use plugin_api::abi::OutputStream;
use plugin_runtime::{AgentInstance, AgentServices, Command, CommandIo, TracingLog, start_agent_half};
use tokio::sync::watch;

use crate::kit::package;

struct Io {
    output: Mutex<Vec<u8>>,
    progress: Mutex<Vec<(u64, u64, String)>>,
    cancel: watch::Sender<bool>,
}

impl Io {
    fn new() -> Arc<Self> {
        let (output, progress) = (Mutex::default(), Mutex::default());
        Arc::new(Self { output, progress, cancel: watch::Sender::new(false) })
    }
}

impl CommandIo for Io {
    fn output(&self, _stream: OutputStream, chunk: Bytes) -> BoxFuture<'_, bool> {
        self.output.lock().unwrap().extend_from_slice(&chunk);
        Box::pin(std::future::ready(true))
    }

    fn progress(&self, done: u64, total: u64, message: &str) {
        self.progress.lock().unwrap().push((done, total, message.to_owned()));
    }

    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let mut cancel = self.cancel.subscribe();
            let _ = cancel.wait_for(|c| *c).await;
        })
    }
}

async fn half() -> Arc<dyn AgentInstance> {
    let log = Arc::new(TracingLog::new("fixture"));
    let services = AgentServices { log, license: b"{}".to_vec(), data_dir: "/data".into() };
    start_agent_half(&package(), services, Duration::from_secs(10)).await.unwrap()
}

fn command(name: &str, deadline_ms: i64) -> Command {
    let deadline_unix_ms =
        if deadline_ms == 0 { 0 } else { chrono::Utc::now().timestamp_millis() + deadline_ms };
    Command { task_id: "t-1".into(), name: name.into(), payload: b"payload".to_vec(), deadline_unix_ms }
}

const GRACE: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn a_command_streams_output_and_gives_its_result() {
    let (half, io) = (half().await, Io::new());
    assert_eq!(half.command(command("echo", 5000), io.clone(), GRACE).await.unwrap(), b"payload");
    assert_eq!(*io.output.lock().unwrap(), b"payload");
    assert_eq!(*io.progress.lock().unwrap(), [(1, 2, "half".to_owned())]);
    assert_eq!(half.call("data_dir", Vec::new(), GRACE).await.unwrap(), b"/data");
    assert_eq!(half.call("other", Vec::new(), GRACE).await.unwrap_err().code, "unknown_method");
    assert_eq!(half.description().commands.len(), 3);
    assert_eq!(half.manifest().id, "fixture");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_command_may_end_by_itself_and_is_dropped_otherwise() {
    let (half, io) = (half().await, Io::new());
    io.cancel.send_replace(true);
    assert_eq!(half.command(command("wait", 0), io.clone(), GRACE).await.unwrap(), b"stopped");
    let error = half.command(command("stubborn", 0), io, GRACE).await.unwrap_err();
    assert_eq!(error.code, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_past_its_deadline_is_ended() {
    let (half, io) = (half().await, Io::new());
    let error = half.command(command("stubborn", 50), io.clone(), GRACE).await.unwrap_err();
    assert_eq!(error.code, "deadline_exceeded");
    let error = half.command(command("panic", 1000), io, GRACE).await.unwrap_err();
    assert_eq!(error.code, "engine_panicked");
}
