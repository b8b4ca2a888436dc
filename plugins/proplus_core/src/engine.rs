//! The parts put together.

use std::sync::Arc;

use plugin_sdk::{
    Engine, EngineResult, Entities, Host, Migration, OpenApiRouter,
    payloads::{events::Event, host_calls::Health, jobs::JobCall},
};

use crate::{entities, events, jobs, migrations, routes, service::Coverage};

/// The engine; one per loaded version.
pub struct ProplusCore {
    pub(crate) host: Host,
    pub(crate) coverage: Coverage,
}

impl Engine for ProplusCore {
    const MANIFEST: &'static str = include_str!("../plugin.toml");

    async fn start(host: Host) -> EngineResult<Self> {
        Ok(Self { coverage: Coverage::new(host.clone()), host })
    }

    fn router() -> OpenApiRouter<Arc<Self>> {
        routes::router()
    }

    fn migrations() -> Vec<Migration> {
        migrations::all()
    }

    fn entities() -> Entities {
        Entities::new()
            .add::<entities::entry::Entity>()
            .add::<entities::usage::Entity>()
            .add::<entities::notice::Entity>()
            .add::<entities::renewal::Entity>()
            .add::<entities::standing::Entity>()
    }

    fn jobs() -> &'static [&'static str] {
        &[jobs::WATCH]
    }

    async fn self_test(&self) -> EngineResult {
        self.coverage.ready().await?;
        jobs::schedule(&self.host).await
    }

    async fn health(&self) -> Health {
        match self.coverage.ready().await {
            Ok(()) => Health { healthy: true, message: String::new() },
            Err(e) => Health { healthy: false, message: format!("The ledger cannot be read: {e}.") },
        }
    }

    async fn on_event(&self, event: Event) -> EngineResult {
        events::handle(self, event).await
    }

    async fn on_job(&self, job: JobCall) -> EngineResult {
        jobs::run(self, job).await
    }
}
