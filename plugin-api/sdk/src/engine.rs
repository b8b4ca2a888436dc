//! What an engine author implements.

use std::{future::Future, sync::Arc};

use plugin_api::{
    EngineError,
    services::{
        engines::EngineCall,
        events::Event,
        host_calls::Health,
        jobs::JobCall,
        operations::TaskEvent,
        reports::{Dataset, DatasetQuery},
    },
};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use crate::{agent::Commands, db::Entities, migration::Migration, runtime::RuntimeUse, services::Host};

/// Answer of an engine's methods.
pub type EngineResult<T = ()> = Result<T, EngineError>;

/// An engine. The value is built once per loaded version by [`Engine::start`] and is the router's state.
///
/// Everything but [`Engine::MANIFEST`] and [`Engine::start`] has a default. Implement the asynchronous methods
/// as `async fn`.
pub trait Engine: Sized + Send + Sync + 'static {
    /// Text of `plugin.toml` in the engine's source. It is a complete manifest but for `built_at`, `targets`
    /// and `files`, which packing adds.
    const MANIFEST: &'static str;

    /// When the private tokio runtime starts; see [`crate::runtime`].
    const RUNTIME: RuntimeUse = RuntimeUse::Always;

    /// Build the server half. Runs before migrations: no table may be touched yet.
    fn start(host: Host) -> impl Future<Output = EngineResult<Self>> + Send;

    /// Routes with their OpenAPI. Pure: called to describe the engine too, before there is any host. Each
    /// operation carries `extensions(("x-permission" = json!("<engine>:<resource>:<verb>")))`.
    fn router() -> OpenApiRouter<Arc<Self>> {
        OpenApiRouter::new()
    }

    /// Migrations in order; see [`Migration`]. Frozen once released.
    fn migrations() -> Vec<Migration> {
        Vec::new()
    }

    /// Entities, so that columns are read with their exact type; see [`Entities`].
    fn entities() -> Entities {
        Entities::new()
    }

    /// Command handlers of the agent half.
    fn commands() -> Commands {
        Commands::new()
    }

    /// Names of the jobs that [`Engine::on_job`] answers to.
    fn jobs() -> &'static [&'static str] {
        &[]
    }

    /// After migrations, before routes: an error says that this version must not go live.
    fn self_test(&self) -> impl Future<Output = EngineResult> + Send {
        async { Ok(()) }
    }

    /// Whether the engine can do its work.
    fn health(&self) -> impl Future<Output = Health> + Send {
        async { Health { healthy: true, message: String::new() } }
    }

    /// Finish what runs, start nothing. Requests have ended when this is called.
    fn drain(&self) -> impl Future<Output = EngineResult> + Send {
        async { Ok(()) }
    }

    /// An event of a topic the manifest subscribes to.
    fn on_event(&self, event: Event) -> impl Future<Output = EngineResult> + Send {
        let _ = event;
        async { Ok(()) }
    }

    /// A timer is due. At least once: `run_id` is the same on a repeat after a crash.
    fn on_job(&self, job: JobCall) -> impl Future<Output = EngineResult> + Send {
        async move { Err(EngineError::unknown("job", &job.name)) }
    }

    /// A task of one of the engine's operations changed. At least once, in order per task.
    fn on_task_event(&self, event: TaskEvent) -> impl Future<Output = EngineResult> + Send {
        let _ = event;
        async { Ok(()) }
    }

    /// Another engine calls.
    fn on_engine_call(&self, call: EngineCall) -> impl Future<Output = EngineResult<Value>> + Send {
        async move { Err(EngineError::unknown("method", &call.method)) }
    }

    /// Rows for a report.
    fn dataset(&self, query: DatasetQuery) -> impl Future<Output = EngineResult<Dataset>> + Send {
        async move { Err(EngineError::unknown("data set", &query.name)) }
    }
}

/// An engine with the version of its crate; implemented by [`crate::export_engine!`].
pub trait Exported: Engine {
    /// `CARGO_PKG_VERSION` of the engine's crate; the manifest must say the same.
    const VERSION: &'static str;
}
