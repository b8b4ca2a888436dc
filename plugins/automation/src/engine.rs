//! The engine as the SDK sees it.

use std::sync::Arc;

use chrono::Utc;
use plugin_sdk::{
    Commands, Engine, EngineResult, Entities, Host, Migration, OpenApiRouter,
    payloads::{host_calls::Health, jobs::JobCall, operations::TaskEvent},
};

use crate::{agent, entities, jobs, migrations, routes, service::Service};

/// The automation engine.
pub struct Automation {
    /// What it decides.
    pub service: Arc<Service>,
}

impl Engine for Automation {
    const MANIFEST: &'static str = include_str!("../plugin.toml");

    async fn start(host: Host) -> EngineResult<Self> {
        Ok(Self { service: Arc::new(Service::new(host, Arc::new(Utc::now))) })
    }

    fn router() -> OpenApiRouter<Arc<Self>> {
        routes::router()
    }

    fn migrations() -> Vec<Migration> {
        migrations::all()
    }

    fn entities() -> Entities {
        Entities::new()
            .add::<entities::approval::Entity>()
            .add::<entities::run::Entity>()
            .add::<entities::run_target::Entity>()
            .add::<entities::schedule::Entity>()
            .add::<entities::script::Entity>()
            .add::<entities::script_change::Entity>()
            .add::<entities::script_share::Entity>()
            .add::<entities::script_version::Entity>()
    }

    fn commands() -> Commands {
        agent::commands()
    }

    fn jobs() -> &'static [&'static str] {
        &jobs::ALL
    }

    async fn self_test(&self) -> EngineResult {
        Ok(self.service.set_timers().await?)
    }

    async fn health(&self) -> Health {
        match self.service.check().await {
            Ok(()) => Health { healthy: true, message: String::new() },
            Err(error) => Health { healthy: false, message: error.to_string() },
        }
    }

    async fn on_job(&self, job: JobCall) -> EngineResult {
        Ok(self.service.ring(&job).await?)
    }

    async fn on_task_event(&self, event: TaskEvent) -> EngineResult {
        Ok(self.service.task_changed(event).await?)
    }
}
