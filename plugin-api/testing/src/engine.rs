//! A running engine with everything around it.

use std::{
    marker::PhantomData,
    sync::{Arc, atomic::AtomicU64},
};

use chrono::{DateTime, Utc};
use plugin_api::{
    CallContext, Capability, EngineError, Manifest,
    abi::{
        ServerEngineBox, ServerServices, ServiceEntry,
        abi_stable::std_types::{RNone, RSome},
    },
    description::MigrationScript,
    error::{decode, encode},
    services::{
        engines::EngineCall,
        events::Event,
        host_calls::{self, Health, Migrations},
        jobs::JobCall,
        operations::TaskState,
        reports::{Dataset, DatasetQuery},
    },
};
use plugin_sdk::{EngineDb, Exported, export};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Builder, Client, FakeHost, TestLicense, TestLog, database::TestDatabase, license::Licensor,
    services::service,
};

/// An engine's server half, started as a host starts it.
pub struct TestEngine<E> {
    server: Arc<ServerEngineBox>,
    host: FakeHost,
    log: TestLog,
    manifest: Manifest,
    licensor: Licensor,
    db: EngineDb,
    counter: Arc<AtomicU64>,
    // Last: the engine goes before its database.
    _database: TestDatabase,
    _engine: PhantomData<fn() -> E>,
}

impl<E: Exported> Builder<E> {
    /// Start the engine: constructor, migrations, self-test.
    ///
    /// # Errors
    /// What the engine or its migrations answer.
    pub async fn try_start(self) -> Result<TestEngine<E>, EngineError> {
        let manifest = export::manifest::<E>()?;
        let database = TestDatabase::open().await;
        let sql = database.engine(&manifest.id, &manifest.capabilities.views).await;
        self.host.prepare(&manifest);
        let licensor = Licensor::new(manifest.entitlement.as_deref(), self.license);
        let log = TestLog::default();
        let granted = |c: Capability| manifest.capabilities.uses.contains(&c) && !self.withheld.contains(&c);
        let mut services: Vec<ServiceEntry> = Capability::ALL
            .into_iter()
            .filter(|c| *c != Capability::Sql && granted(*c))
            .map(|c| service(c.name(), &self.host, &licensor))
            .collect();
        services.push(service("license", &self.host, &licensor));
        let sql_service = if granted(Capability::Sql) { RSome(sql.clone().into_service()) } else { RNone };
        let starting = (export::module::<E>().create_server)(ServerServices {
            manifest: encode(&manifest)?.into(),
            log: log.sink(),
            sql: sql_service,
            services: services.into(),
        });
        let server = starting.await.into_result()?;
        let engine = TestEngine {
            server: Arc::new(server),
            host: self.host,
            log,
            db: EngineDb::new(Some(sql.clone().into_service()), E::entities()),
            manifest,
            licensor,
            counter: Arc::default(),
            _database: database,
            _engine: PhantomData,
        };
        let asked = Migrations { backend: sql.backend() };
        let scripts: Vec<MigrationScript> = engine.call(host_calls::MIGRATIONS, &asked).await?;
        sql.migrate(&scripts, Utc::now()).await.map_err(EngineError::from)?;
        engine.call::<_, ()>(host_calls::SELF_TEST, &()).await?;
        Ok(engine)
    }
}

impl<E: Exported> TestEngine<E> {
    /// Start with everything granted, a full licence and no machines.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Say more before starting.
    pub fn builder() -> Builder<E> {
        Builder::default()
    }

    /// What the engine did to its host, and what the host holds.
    pub fn host(&self) -> &FakeHost {
        &self.host
    }

    /// The engine's log.
    pub fn log(&self) -> &TestLog {
        &self.log
    }

    /// The engine's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The engine's tables, to look into them or to prepare rows.
    pub fn db(&self) -> &EngineDb {
        &self.db
    }

    /// A context with all of the engine's permissions.
    pub fn context(&self) -> CallContext {
        CallContext {
            actor: "user:00000000-0000-7000-8000-000000000001".into(),
            actor_name: "Test".into(),
            permissions: self.manifest.permissions.iter().map(|p| p.name.clone()).collect(),
            request_id: "request-0".into(),
            ..CallContext::default()
        }
    }

    /// A client with all of the engine's permissions.
    pub fn client(&self) -> Client {
        Client { server: self.server.clone(), context: self.context(), counter: self.counter.clone() }
    }

    /// A client with only these permissions.
    pub fn client_with(&self, permissions: &[&str]) -> Client {
        self.client().with_permissions(permissions)
    }

    /// Call a method of the contract.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn call<P, R>(&self, method: &str, payload: &P) -> Result<R, EngineError>
    where
        P: Serialize + Sync,
        R: DeserializeOwned,
    {
        let pending = self.server.call(method.into(), encode(payload)?.into());
        let answer = pending.await.into_result()?;
        decode(if answer.is_empty() { b"null" } else { answer.as_slice() })
    }

    /// Deliver an event.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn event(&self, event: &Event) -> Result<(), EngineError> {
        self.call(host_calls::EVENT, event).await
    }

    /// Run a job now.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn job(&self, name: &str, payload: Value) -> Result<(), EngineError> {
        let job = JobCall {
            key: name.into(),
            name: name.into(),
            run_id: uuid::Uuid::now_v7().to_string(),
            due_at: Some(Utc::now()),
            payload,
        };
        self.call(host_calls::JOB, &job).await
    }

    /// Run every scheduled timer that is due until `at`, in order, repeats too. Answers how many ran.
    ///
    /// # Errors
    /// The first error of a job; timers already taken are gone.
    pub async fn run_jobs_until(&self, at: DateTime<Utc>) -> Result<usize, EngineError> {
        let mut ran = 0;
        while let Some(job) = self.host.take_due_job(at) {
            self.call::<_, ()>(host_calls::JOB, &job).await?;
            ran += 1;
        }
        Ok(ran)
    }

    /// Move a task of an operation to a state and tell the engine.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn task(&self, task_id: &str, state: TaskState, result: Value) -> Result<(), EngineError> {
        let event = self.host.set_task(task_id, state, result);
        self.call(host_calls::TASK_EVENT, &event).await
    }

    /// Call as another engine would.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn engine_call(&self, from: &str, method: &str, payload: Value) -> Result<Value, EngineError> {
        let call = EngineCall {
            engine: self.manifest.id.clone(),
            from: from.into(),
            method: method.into(),
            payload,
        };
        self.call(host_calls::ENGINE_CALL, &call).await
    }

    /// Rows of a data set.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn dataset(&self, name: &str) -> Result<Dataset, EngineError> {
        let query = DatasetQuery { context: self.context(), name: name.into(), offset: 0, limit: 1000 };
        self.call(host_calls::DATASET, &query).await
    }

    /// The engine's health.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn health(&self) -> Result<Health, EngineError> {
        self.call(host_calls::HEALTH, &()).await
    }

    /// Change the licence and tell the engine.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn set_license(&self, license: TestLicense) -> Result<(), EngineError> {
        self.licensor.set(license);
        self.call(host_calls::LICENSE_CHANGED, &()).await
    }
}
