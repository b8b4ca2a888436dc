//! Runs commands of an agent half.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::Utc;
use plugin_api::{
    EngineError,
    abi::{
        AbiCommand, AgentEngineBox, AgentServices, CommandIo, CommandIo_TO, FfiFuture, FutureExt,
        OutputStream,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RString, RVec},
        },
    },
    error::{decode, encode},
};
use plugin_sdk::{Exported, export};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::watch, task::JoinHandle};

use crate::{TestLicense, TestLog, license::Licensor};

/// An engine's agent half, started as an agent starts it.
pub struct TestAgent<E> {
    half: Arc<AgentEngineBox>,
    log: TestLog,
    data_dir: tempfile::TempDir,
    _engine: PhantomData<fn() -> E>,
}

impl<E: Exported> TestAgent<E> {
    /// Start with a full licence.
    ///
    /// # Panics
    /// When the half does not start.
    pub async fn start() -> Self {
        Self::start_with(TestLicense::Full).await
    }

    /// Start with this licence.
    ///
    /// # Panics
    /// When the half does not start.
    pub async fn start_with(license: TestLicense) -> Self {
        let manifest = export::manifest::<E>().expect("the manifest is valid");
        let data_dir = tempfile::tempdir().expect("a temporary folder can be made");
        let licensor = Licensor::new(manifest.entitlement.as_deref(), license);
        let proof = licensor.prove("00000000000000000000000000000001").expect("a key in memory signs");
        let log = TestLog::default();
        let starting = (export::module::<E>().create_agent)(AgentServices {
            manifest: encode(&manifest).expect("a manifest is JSON").into(),
            log: log.sink(),
            license: encode(&proof).expect("a proof is JSON").into(),
            data_dir: data_dir.path().to_string_lossy().into_owned().into(),
        });
        let half = starting.await.into_result().map_err(EngineError::from);
        let half = Arc::new(half.unwrap_or_else(|e| panic!("the agent half does not start: {e}")));
        Self { half, log, data_dir, _engine: PhantomData }
    }

    /// The half's log.
    pub fn log(&self) -> &TestLog {
        &self.log
    }

    /// The half's private folder.
    pub fn data_dir(&self) -> &std::path::Path {
        self.data_dir.path()
    }

    /// Start a command without deadline.
    pub fn begin<P: Serialize>(&self, name: &str, payload: &P) -> RunningCommand {
        self.begin_within(name, payload, None)
    }

    /// Start a command that must end within `limit`.
    pub fn begin_within<P: Serialize>(
        &self,
        name: &str,
        payload: &P,
        limit: Option<Duration>,
    ) -> RunningCommand {
        let (cancel, cancelled) = watch::channel(false);
        let io = Io { seen: Arc::default(), cancelled, limit };
        let seen = io.seen.clone();
        let deadline = limit.map_or(0, |limit| {
            Utc::now().timestamp_millis() + i64::try_from(limit.as_millis()).unwrap_or(i64::MAX / 2)
        });
        let command = AbiCommand {
            task_id: uuid::Uuid::now_v7().to_string().into(),
            name: name.into(),
            payload: encode(payload).expect("a test's payload is JSON").into(),
            deadline_unix_ms: deadline,
        };
        let running = self.half.command(command, CommandIo_TO::from_value(io, TD_Opaque));
        let task = tokio::spawn(async move {
            let answer: Result<Vec<u8>, EngineError> = match running.await.into_result() {
                Ok(bytes) => Ok(bytes.into_vec()),
                Err(e) => Err(e.into()),
            };
            answer
        });
        RunningCommand { task, cancel, seen }
    }

    /// Run a command to its end and decode its result.
    ///
    /// # Errors
    /// What the command answers.
    pub async fn run<P: Serialize, R: DeserializeOwned>(
        &self,
        name: &str,
        payload: &P,
    ) -> Result<R, EngineError> {
        let mut running = self.begin(name, payload);
        running.result().await
    }
}

#[derive(Default)]
struct Seen {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    progress: Vec<(u64, u64, String)>,
}

struct Io {
    seen: Arc<Mutex<Seen>>,
    cancelled: watch::Receiver<bool>,
    limit: Option<Duration>,
}

impl CommandIo for Io {
    fn output(&self, stream: OutputStream, chunk: RVec<u8>) -> FfiFuture<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match stream {
            OutputStream::Stdout => seen.stdout.extend_from_slice(&chunk),
            OutputStream::Stderr => seen.stderr.extend_from_slice(&chunk),
        }
        async { true }.into_ffi()
    }

    fn progress(&self, done: u64, total: u64, message: RString) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.progress.push((done, total, message.into_string()));
    }

    fn cancelled(&self) -> FfiFuture<()> {
        let (mut cancelled, limit) = (self.cancelled.clone(), self.limit);
        async move {
            let told = async {
                // The sender lives as long as the command's handle; without it nobody can cancel.
                if cancelled.wait_for(|c| *c).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            match limit {
                Some(limit) => {
                    tokio::select! { () = told => {}, () = tokio::time::sleep(limit) => {} }
                }
                None => told.await,
            }
        }
        .into_ffi()
    }
}

/// A command that was started.
pub struct RunningCommand {
    task: JoinHandle<Result<Vec<u8>, EngineError>>,
    cancel: watch::Sender<bool>,
    seen: Arc<Mutex<Seen>>,
}

impl RunningCommand {
    /// Ask the command to stop.
    pub fn cancel(&self) {
        self.cancel.send_replace(true);
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&seen.stdout).into_owned()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&seen.stderr).into_owned()
    }

    /// Progress so far: done, total, message.
    pub fn progress(&self) -> Vec<(u64, u64, String)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).progress.clone()
    }

    /// Wait until standard output contains `text`.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub async fn wait_for_stdout(&self, text: &str) {
        let seen = async {
            while !self.stdout().contains(text) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(60), seen).await;
        assert!(seen.is_ok(), "no {text:?} in {:?}", self.stdout());
    }

    /// Wait for the end and decode the result. Output stays readable through the other methods.
    ///
    /// # Errors
    /// What the command answers.
    pub async fn result<R: DeserializeOwned>(&mut self) -> Result<R, EngineError> {
        let answer = (&mut self.task).await.map_err(|e| EngineError::new("task_lost", e.to_string()))?;
        decode(&answer?)
    }
}
