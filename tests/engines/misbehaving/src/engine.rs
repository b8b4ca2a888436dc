//! The engine and its variants.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use plugin_sdk::{
    Commands, Engine, EngineError, EngineResult, Host, Migration, OpenApiRouter,
    payloads::{events::Event, host_calls::Health, jobs::JobCall},
};
use sea_orm::sea_query::{ColumnDef, Table};

use crate::{
    commands, routes,
    variant::{ID, MANIFEST, VARIANT, Variant},
};

/// The engine.
pub struct Misbehaving {
    pub(crate) host: Host,
    started: Instant,
    pub(crate) kept: tokio::sync::Mutex<Vec<plugin_sdk::EngineTransaction>>,
}

impl Engine for Misbehaving {
    const MANIFEST: &'static str = MANIFEST;

    async fn start(host: Host) -> EngineResult<Self> {
        match VARIANT {
            Variant::Constructor => panic!("the constructor panics"),
            Variant::Slow => tokio::time::sleep(Duration::from_secs(10)).await,
            _ => {}
        }
        Ok(Self { host, started: Instant::now(), kept: tokio::sync::Mutex::default() })
    }

    fn router() -> OpenApiRouter<Arc<Self>> {
        let mut router = routes::router();
        let wanted = if VARIANT == Variant::Liar { "misbehaving_liar:all:other" } else { "" };
        let permission = if wanted.is_empty() { format!("{ID}:all:run") } else { wanted.to_owned() };
        routes::set_permission(router.get_openapi_mut(), &permission);
        router
    }

    fn migrations() -> Vec<Migration> {
        let mut all = vec![Migration::new("m0001_create", |schema| {
            let table = format!("{ID}_things");
            let mut create = Table::create();
            create.table(table).col(ColumnDef::new("id").big_integer().not_null().primary_key());
            schema.run(create.col(ColumnDef::new("text").text()));
        })];
        if VARIANT == Variant::Migration {
            all.push(Migration::new("m0002_fail", |schema| {
                schema.sql(&format!(
                    "INSERT INTO {ID}_things (id, text) VALUES (1, 'kept only if all goes well')"
                ));
                schema.sql(&format!("INSERT INTO {ID}_things (id, text) VALUES (1, 'the same key again')"));
            }));
        }
        all
    }

    fn commands() -> Commands {
        let commands = commands::all();
        if VARIANT == Variant::Liar { commands.on("undeclared", commands::undeclared) } else { commands }
    }

    fn jobs() -> &'static [&'static str] {
        &["panic", "hang"]
    }

    async fn self_test(&self) -> EngineResult {
        if VARIANT == Variant::SelfTest {
            return Err(EngineError::new("self_test_failed", "The self-test fails, as it was built to."));
        }
        Ok(())
    }

    async fn health(&self) -> Health {
        // The first version is well, so that an upgrade has something to go back to.
        let first = MANIFEST.lines().any(|line| line.starts_with("version") && line.ends_with(".0\""));
        let ill = VARIANT == Variant::Unhealthy && !first;
        let sick = ill && self.started.elapsed() > Duration::from_secs(2);
        let message = if sick { "It was built to fall ill." } else { "" };
        Health { healthy: !sick, message: message.into() }
    }

    async fn on_event(&self, event: Event) -> EngineResult {
        assert_ne!(event.topic, "misbehave.panic", "an event handler panics");
        Ok(())
    }

    async fn on_job(&self, job: JobCall) -> EngineResult {
        match job.name.as_str() {
            "panic" => panic!("a job panics"),
            "hang" => std::future::pending().await,
            name => Err(EngineError::unknown("job", name)),
        }
    }
}
