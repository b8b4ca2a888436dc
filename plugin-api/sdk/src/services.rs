//! [`Host`]: the services that an administrator granted this engine.

mod clients;

use std::{collections::HashMap, sync::Arc};

use plugin_api::{
    Capability, EngineError, Manifest,
    abi::{
        ServiceBox, ServiceEntry, SqlServiceBox,
        abi_stable::std_types::{ROption, RVec},
    },
    error::{decode, encode},
};
use serde::{Serialize, de::DeserializeOwned};

pub use clients::*;

use crate::{
    db::{EngineDb, Entities},
    runtime::Runtime,
};

/// What the host gives the server half. Cheap to clone; keep it in the engine.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    manifest: Manifest,
    db: EngineDb,
    services: HashMap<String, ServiceBox>,
    runtime: Runtime,
}

impl Host {
    pub(crate) fn new(
        manifest: Manifest,
        sql: ROption<SqlServiceBox>,
        services: RVec<ServiceEntry>,
        entities: Entities,
        runtime: Runtime,
    ) -> Self {
        let services = services.into_iter().map(|s| (s.name.into_string(), s.service)).collect();
        let db = EngineDb::new(sql.into_option(), entities);
        Self(Arc::new(Inner { manifest, db, services, runtime }))
    }

    /// The signed manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// The engine's tables.
    pub fn db(&self) -> EngineDb {
        self.0.db.clone()
    }

    /// The private runtime, for tasks of the engine's own.
    pub fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// Whether a service was granted.
    pub fn has(&self, capability: Capability) -> bool {
        self.0.services.contains_key(capability.name())
    }

    /// Call a method of a service; the typed clients below are nicer.
    ///
    /// # Errors
    /// `not_granted` when the service is absent, else what the host answers.
    pub async fn call<P, R>(&self, service: &str, method: &str, payload: &P) -> Result<R, EngineError>
    where
        P: Serialize + ?Sized + Sync,
        R: DeserializeOwned,
    {
        let Some(found) = self.0.services.get(service) else {
            let text = format!("The service `{service}` is not granted to this engine.");
            return Err(EngineError::new("not_granted", text));
        };
        let pending = found.call(method.into(), encode_any(payload)?.into());
        let answer = pending.await.into_result()?;
        // An empty answer stands for nothing.
        decode(if answer.is_empty() { b"null" } else { answer.as_slice() })
    }
}

fn encode_any<P: Serialize + ?Sized>(payload: &P) -> Result<Vec<u8>, EngineError> {
    encode(&payload)
}
