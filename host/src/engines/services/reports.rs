//! Service `reports`.

use std::sync::PoisonError;

use plugin_api::{EngineError, error::decode, services::reports::DatasetSpec};

use super::{Host, nothing};

/// Data sets an engine may offer.
const MOST: usize = 100;

pub(super) fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    if method != "register" {
        return Err(EngineError::unknown("reports method", method));
    }
    let spec: DatasetSpec = decode(payload)?;
    let mut datasets = host.entry.datasets.write().unwrap_or_else(PoisonError::into_inner);
    datasets.retain(|d| d.name != spec.name);
    if datasets.len() >= MOST {
        return Err(EngineError::new("too_many_datasets", format!("At most {MOST} data sets.")));
    }
    datasets.push(spec);
    nothing()
}
