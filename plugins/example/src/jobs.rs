//! Timers: done notes are deleted once a day.

use chrono::{TimeDelta, Utc};
use plugin_sdk::{
    EngineError, EngineResult, Host,
    payloads::jobs::{JobCall, JobSpec},
};

use crate::engine::Example;

/// Deletes old done notes.
pub const CLEAN_UP: &str = "clean_up";

/// Set the timer, unless it is set.
pub async fn schedule(host: &Host) -> EngineResult {
    if host.jobs().list().await?.iter().any(|job| job.key == CLEAN_UP) {
        return Ok(());
    }
    let job = JobSpec {
        key: CLEAN_UP.into(),
        name: CLEAN_UP.into(),
        at: Some(Utc::now() + TimeDelta::hours(1)),
        every_s: 86_400,
        payload: serde_json::Value::Null,
    };
    host.jobs().schedule(&job).await
}

/// A timer is due.
pub async fn run(engine: &Example, job: JobCall) -> EngineResult {
    if job.name != CLEAN_UP {
        return Err(EngineError::unknown("job", &job.name));
    }
    let deleted = engine.notes.clean_up().await?;
    tracing::info!(notes.deleted = deleted, "done notes cleaned up");
    Ok(())
}
