//! Everything the host calls by name.

use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::host_calls::{self, Migrations},
};

use super::Shared;
use crate::{engine::Engine, migration};

impl<E: Engine> Shared<E> {
    pub(super) async fn call(&self, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
        let Some(engine) = self.engine.get() else {
            return Err(EngineError::new("engine_unavailable", "The engine is shutting down."));
        };
        match method {
            host_calls::MIGRATIONS => {
                let asked: Migrations = decode(payload)?;
                encode(&migration::render(&E::migrations(), asked.backend))
            }
            host_calls::SELF_TEST => engine.self_test().await.map(empty),
            host_calls::HEALTH => encode(&engine.health().await),
            host_calls::DRAIN => {
                self.in_flight.idle().await;
                engine.drain().await.map(empty)
            }
            host_calls::LICENSE_CHANGED => {
                self.entitlement.refresh().await;
                Ok(Vec::new())
            }
            // Results of what already runs are kept whatever the licence says.
            host_calls::TASK_EVENT => engine.on_task_event(decode(payload)?).await.map(empty),
            host_calls::DATASET => {
                self.entitlement.allow_read().await?;
                encode(&engine.dataset(decode(payload)?).await?)
            }
            host_calls::EVENT => {
                self.entitlement.allow_change().await?;
                engine.on_event(decode(payload)?).await.map(empty)
            }
            host_calls::JOB => {
                self.entitlement.allow_change().await?;
                engine.on_job(decode(payload)?).await.map(empty)
            }
            host_calls::ENGINE_CALL => {
                self.entitlement.allow_change().await?;
                encode(&engine.on_engine_call(decode(payload)?).await?)
            }
            other => Err(EngineError::unknown("method", other)),
        }
    }
}

fn empty((): ()) -> Vec<u8> {
    Vec::new()
}
