//! Events of the host: what happens to licences goes into the ledger, what happens to machines is counted.

use chrono::Utc;
use plugin_sdk::{EngineResult, payloads::events::Event};

use crate::engine::ProplusCore;

/// An event arrived.
pub async fn handle(engine: &ProplusCore, event: Event) -> EngineResult {
    if event.topic.starts_with("license.") {
        engine.coverage.note(&event.topic, event.data).await?;
    }
    // Both change what is covered and how much of it is used.
    Ok(engine.coverage.watch(Utc::now()).await?)
}
