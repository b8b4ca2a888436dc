//! What engines may ask of the host: only granted capabilities are in the table an engine receives.

mod audit;
mod engines;
mod events;
mod fetch;
mod files;
mod jobs;
mod license;
mod licenses;
mod machines;
mod notify;
pub(super) mod operations;
mod reports;
mod runtime;
mod secrets;
pub(super) mod settings;

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use plugin_api::{Capability, EngineError, Manifest, error::encode};
use plugin_runtime::{HostServices, LogSink, TracingLog};
use plugin_sql::EngineSql;

use super::{live::Entry, logs::Sink};
use crate::{app::App, clock::SharedClock};

use runtime::{Granted, Sql};

/// Names of services that every engine has.
const LICENSE: &str = "license";

/// Whose call it is, and the host behind it.
#[derive(Clone)]
pub(super) struct Host {
    app: Weak<App>,
    pub entry: Arc<Entry>,
    pub manifest: Arc<Manifest>,
    pub granted: Arc<BTreeSet<Capability>>,
    clock: SharedClock,
}

impl Host {
    pub fn new(
        app: &Arc<App>,
        entry: Arc<Entry>,
        manifest: Arc<Manifest>,
        granted: BTreeSet<Capability>,
    ) -> Self {
        Self {
            app: Arc::downgrade(app),
            entry,
            manifest,
            granted: Arc::new(granted),
            clock: app.clock.clone(),
        }
    }

    fn app(&self) -> Result<Arc<App>, EngineError> {
        self.app.upgrade().ok_or_else(|| EngineError::new("host_stopping", "The host is stopping."))
    }

    fn id(&self) -> &str {
        &self.manifest.id
    }

    /// The table for a new instance.
    pub fn table(self, sql: Option<EngineSql>) -> HostServices {
        let runtime = tokio::runtime::Handle::current();
        let log: Arc<dyn LogSink> = Arc::new(Sink {
            logs: self.entry.logs.clone(),
            tracing: TracingLog::new(self.id()),
            clock: self.clock.clone(),
        });
        let mut services: Vec<(String, Arc<dyn plugin_runtime::HostService>)> = Vec::new();
        let mut add = |name: &'static str| {
            services.push((name.into(), Arc::new(Granted::new(self.clone(), name, runtime.clone()))));
        };
        add(LICENSE);
        for capability in self.granted.iter().filter(|c| **c != Capability::Sql) {
            add(capability.name());
        }
        let sql =
            sql.map(|sql| Arc::new(Sql::new(sql, runtime.clone())) as Arc<dyn plugin_runtime::SqlService>);
        HostServices { log, sql, services }
    }

    /// A call of a service by the engine.
    async fn call(
        self,
        service: &'static str,
        method: String,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, EngineError> {
        match service {
            LICENSE => license::call(&self, &method, &payload),
            "machines" | "inventory" => machines::call(&self, &method, &payload).await,
            "operations" => operations::call(&self, &method, &payload).await,
            "events" => events::call(&self, &method, &payload),
            "http" => fetch::call(&self, &method, &payload).await,
            "secrets" => secrets::call(&self, &method, &payload).await,
            "settings" => settings::call(&self, &method, &payload).await,
            "files" => files::call(&self, &method, &payload).await,
            "jobs" => jobs::call(&self, &method, &payload).await,
            "audit" => audit::call(&self, &method, &payload).await,
            "notify" => notify::call(&self, &method, &payload).await,
            "licenses" => licenses::call(&self, &method, &payload).await,
            "reports" => reports::call(&self, &method, &payload),
            "engines" => engines::call(&self, &method, &payload).await,
            other => Err(EngineError::unknown("service", other)),
        }
    }
}

/// An answer without content.
fn nothing() -> Result<Vec<u8>, EngineError> {
    encode(&serde_json::Value::Null)
}

/// A failure of the host itself: the cause goes to the log.
fn failed(what: &str, cause: impl std::fmt::Display) -> EngineError {
    tracing::error!(%cause, "the host failed to {what} for an engine");
    EngineError::new("host_failed", format!("The host failed to {what}; its log has the cause."))
}

fn uuid(text: &str) -> Result<uuid::Uuid, EngineError> {
    text.parse().map_err(|_| {
        EngineError::new("bad_id", format!("`{}` is no id.", text.chars().take(60).collect::<String>()))
    })
}

/// A problem of another slice as an engine's error.
fn from_problem(problem: crate::problem::Problem) -> EngineError {
    if let Some(cause) = &problem.cause
        && problem.status.is_server_error()
    {
        tracing::error!(%cause, "a host service failed");
    }
    EngineError::new(&problem.code, problem.detail)
}

fn from_slice(error: impl crate::problem::SliceError) -> EngineError {
    from_problem(error.into())
}
