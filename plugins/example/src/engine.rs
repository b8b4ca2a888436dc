//! The parts put together.

use std::sync::Arc;

use plugin_sdk::{
    Commands, Engine, EngineResult, Entities, Host, Migration, OpenApiRouter,
    payloads::{events::Event, host_calls::Health, jobs::JobCall},
    sea_orm::ConnectionTrait,
};

use crate::{agent, bench, entities, events, jobs, migrations, routes, service::Notes};

/// The engine; one per loaded version.
pub struct Example {
    pub(crate) host: Host,
    pub(crate) notes: Notes,
}

impl Engine for Example {
    const MANIFEST: &'static str = include_str!("../plugin.toml");

    async fn start(host: Host) -> EngineResult<Self> {
        Ok(Self { notes: Notes::new(host.clone()), host })
    }

    fn router() -> OpenApiRouter<Arc<Self>> {
        routes::router().merge(bench::router())
    }

    fn migrations() -> Vec<Migration> {
        migrations::all()
    }

    fn entities() -> Entities {
        Entities::new().add::<entities::note::Entity>()
    }

    fn commands() -> Commands {
        agent::commands()
    }

    fn jobs() -> &'static [&'static str] {
        &[jobs::CLEAN_UP]
    }

    async fn self_test(&self) -> EngineResult {
        self.notes.count().await?;
        jobs::schedule(&self.host).await
    }

    async fn health(&self) -> Health {
        let answers = self.host.db().execute_unprepared("SELECT id FROM example_notes LIMIT 1").await;
        match answers {
            Ok(_) => Health { healthy: true, message: String::new() },
            Err(e) => Health { healthy: false, message: format!("The notes cannot be read: {e}.") },
        }
    }

    async fn on_event(&self, event: Event) -> EngineResult {
        events::handle(self, event).await
    }

    async fn on_job(&self, job: JobCall) -> EngineResult {
        jobs::run(self, job).await
    }
}
