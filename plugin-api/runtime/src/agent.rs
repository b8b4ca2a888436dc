//! The agent half of an engine, as the agent sees it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use abi_stable::erased_types::TD_Opaque;
use abi_stable::std_types::{RString, RVec};
use async_ffi::{FfiFuture, FutureExt};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use plugin_api::abi::{self, AbiCommand, AgentEngineBox, OutputStream};
use plugin_api::description::Description;
use plugin_api::{EngineError, Manifest};

use crate::adapters::{from_abi, log_sink};
use crate::in_process::{Keep, guarded, until};
use crate::{LogSink, Package, StartError, Verified, library};

/// What an agent gives an agent half.
#[derive(Clone)]
pub struct AgentServices {
    /// Where log records go.
    pub log: Arc<dyn LogSink>,
    /// [`plugin_api::services::license::Proof`] as JSON.
    pub license: Vec<u8>,
    /// A folder only this engine uses; must exist.
    pub data_dir: PathBuf,
}

/// A command for an agent half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Task id.
    pub task_id: String,
    /// Name without the engine's prefix.
    pub name: String,
    /// JSON payload as the server half made it.
    pub payload: Vec<u8>,
    /// When the task must end, in milliseconds since the Unix epoch; 0 for none.
    pub deadline_unix_ms: i64,
}

/// What a running command may tell, and ask, the agent.
pub trait CommandIo: Send + Sync + 'static {
    /// Take output; resolves when there is room for more. False when nobody reads any longer.
    fn output(&self, stream: OutputStream, chunk: Bytes) -> BoxFuture<'_, bool>;
    /// Take progress. Must not block.
    fn progress(&self, done: u64, total: u64, message: &str);
    /// Resolves when the task is cancelled or its deadline has passed.
    fn cancelled(&self) -> BoxFuture<'_, ()>;
}

/// A running agent half.
pub trait AgentInstance: Send + Sync + 'static {
    /// Run one command. After `io.cancelled()` resolves, or the command's deadline passes, the command has `grace`
    /// to end by itself; then it is dropped and the answer is `cancelled` or `deadline_exceeded`.
    fn command(
        &self,
        command: Command,
        io: Arc<dyn CommandIo>,
        grace: Duration,
    ) -> BoxFuture<'_, Result<Vec<u8>, EngineError>>;
    /// Call a method of [`plugin_api::services::host_calls`].
    fn call<'a>(
        &'a self,
        method: &'a str,
        payload: Vec<u8>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Vec<u8>, EngineError>>;
    /// What the engine says of itself.
    fn description(&self) -> &Description;
    /// The signed manifest.
    fn manifest(&self) -> &Manifest;
}

/// Load a package's library into this process and start its agent half.
///
/// # Errors
/// [`StartError`].
pub async fn start_agent_half(
    package: &Verified<Package>,
    services: AgentServices,
    deadline: Duration,
) -> Result<Arc<dyn AgentInstance>, StartError> {
    let loaded = library::load_off_thread(package).await?;
    let services = abi::AgentServices {
        manifest: plugin_api::error::encode(package.manifest())?.into(),
        log: log_sink(services.log),
        license: services.license.into(),
        data_dir: services.data_dir.to_string_lossy().as_ref().into(),
    };
    let create = (loaded.module.create_agent())(services);
    let created = tokio::time::timeout(deadline, guarded(create)).await;
    let engine = created.map_err(|_| StartError::Deadline(deadline))??;
    Ok(Arc::new(AgentHalf {
        engine: Keep::new(from_abi(engine)?),
        description: loaded.description,
        manifest: package.manifest().clone(),
    }))
}

struct AgentHalf {
    engine: Keep<AgentEngineBox>,
    description: Description,
    manifest: Manifest,
}

impl AgentInstance for AgentHalf {
    fn command(
        &self,
        command: Command,
        io: Arc<dyn CommandIo>,
        grace: Duration,
    ) -> BoxFuture<'_, Result<Vec<u8>, EngineError>> {
        Box::pin(async move {
            let deadline = (command.deadline_unix_ms > 0).then(|| until(command.deadline_unix_ms));
            let abi_io = abi::CommandIo_TO::from_value(IoAdapter(io.clone()), TD_Opaque);
            let command = AbiCommand {
                task_id: command.task_id.into(),
                name: command.name.into(),
                payload: command.payload.into(),
                deadline_unix_ms: command.deadline_unix_ms,
            };
            let run = guarded(self.engine.command(command, abi_io));
            tokio::pin!(run);
            let overdue = tokio::select! {
                result = &mut run => return from_abi(result?).map(Into::into),
                () = io.cancelled() => EngineError::new("cancelled", "The task was cancelled."),
                () = sleep(deadline) => crate::problem::deadline_exceeded(),
            };
            match tokio::time::timeout(grace, &mut run).await {
                Ok(result) => from_abi(result?).map(Into::into),
                Err(_) => Err(overdue),
            }
        })
    }

    fn call<'a>(
        &'a self,
        method: &'a str,
        payload: Vec<u8>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Vec<u8>, EngineError>> {
        Box::pin(async move {
            let call = guarded(self.engine.call(method.into(), payload.into()));
            let answer = tokio::time::timeout(deadline, call).await;
            let answer = answer.map_err(|_| crate::problem::deadline_exceeded())??;
            from_abi(answer).map(Into::into)
        })
    }

    fn description(&self) -> &Description {
        &self.description
    }

    fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

struct IoAdapter(Arc<dyn CommandIo>);

impl abi::CommandIo for IoAdapter {
    fn output(&self, stream: OutputStream, chunk: RVec<u8>) -> FfiFuture<bool> {
        let io = self.0.clone();
        async move { io.output(stream, crate::abi_http::bytes_from(chunk)).await }.into_ffi()
    }

    fn progress(&self, done: u64, total: u64, message: RString) {
        self.0.progress(done, total, &message);
    }

    fn cancelled(&self) -> FfiFuture<()> {
        let io = self.0.clone();
        async move { io.cancelled().await }.into_ffi()
    }
}
