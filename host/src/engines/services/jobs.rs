//! Service `jobs`.

use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::jobs::{JobKey, JobSpec},
};

use super::{Host, failed, nothing};

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    let app = host.app()?;
    let jobs = app.engines.jobs();
    match method {
        "schedule" => {
            let spec: JobSpec = decode(payload)?;
            if spec.key.is_empty() || spec.key.len() > 200 || spec.name.is_empty() || spec.name.len() > 200 {
                return Err(EngineError::bad_payload("key and name have 1 to 200 bytes"));
            }
            jobs.schedule(host.id(), spec).await?;
            nothing()
        }
        "cancel" => {
            let key: JobKey = decode(payload)?;
            jobs.cancel(host.id(), &key.key).await.map_err(|e| failed("cancel a job", e))?;
            nothing()
        }
        "list" => encode(&jobs.list(host.id()).await.map_err(|e| failed("list jobs", e))?),
        other => Err(EngineError::unknown("jobs method", other)),
    }
}
