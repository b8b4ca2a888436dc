//! Timers on a clock that only the test moves.

use chrono::{DateTime, TimeDelta, Utc};
use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::jobs::{JobCall, JobKey, JobSpec},
};

use super::FakeHost;

impl FakeHost {
    pub(super) fn job_call(&self, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
        let mut state = self.lock();
        match method {
            "schedule" => {
                let job: JobSpec = decode(payload)?;
                state.jobs.insert(job.key.clone(), job);
                Ok(Vec::new())
            }
            "cancel" => {
                let key: JobKey = decode(payload)?;
                state.jobs.remove(&key.key);
                Ok(Vec::new())
            }
            "list" => encode(&state.jobs.values().collect::<Vec<_>>()),
            other => Err(EngineError::unknown("method", other)),
        }
    }

    /// Take the earliest timer due until `until`; a repeating one is set again.
    pub(crate) fn take_due_job(&self, until: DateTime<Utc>) -> Option<JobCall> {
        let mut state = self.lock();
        let due = |job: &&JobSpec| job.at.is_none_or(|at| at <= until);
        let job = state.jobs.values().filter(due).min_by_key(|job| job.at).cloned()?;
        let due_at = job.at.unwrap_or(until);
        if job.every_s == 0 {
            state.jobs.remove(&job.key);
        } else {
            let every = TimeDelta::seconds(i64::try_from(job.every_s).unwrap_or(i64::MAX / 1000));
            if let Some(again) = state.jobs.get_mut(&job.key) {
                again.at = Some(due_at + every);
            }
        }
        Some(JobCall {
            key: job.key,
            name: job.name,
            run_id: uuid::Uuid::now_v7().to_string(),
            due_at: Some(due_at),
            payload: job.payload,
        })
    }
}
