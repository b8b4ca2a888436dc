//! The timer: once an hour machines are counted, entitlements compared, and notices sent.

use chrono::{TimeDelta, Utc};
use plugin_sdk::{
    EngineError, EngineResult, Host,
    payloads::jobs::{JobCall, JobSpec},
};

use crate::engine::ProplusCore;

/// Looks at licences and machines.
pub const WATCH: &str = "watch";

/// Set the timer, unless it is set.
pub async fn schedule(host: &Host) -> EngineResult {
    if host.jobs().list().await?.iter().any(|job| job.key == WATCH) {
        return Ok(());
    }
    let job = JobSpec {
        key: WATCH.into(),
        name: WATCH.into(),
        at: Some(Utc::now() + TimeDelta::seconds(5)),
        every_s: 3_600,
        payload: serde_json::Value::Null,
    };
    host.jobs().schedule(&job).await
}

/// The timer is due.
pub async fn run(engine: &ProplusCore, job: JobCall) -> EngineResult {
    if job.name != WATCH {
        return Err(EngineError::unknown("job", &job.name));
    }
    Ok(engine.coverage.watch(Utc::now()).await?)
}
