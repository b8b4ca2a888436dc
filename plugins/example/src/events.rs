//! Events of others: every approved machine gets a note.

use plugin_sdk::{EngineResult, payloads::events::Event};

use crate::engine::Example;

/// An event arrived.
pub async fn handle(engine: &Example, event: Event) -> EngineResult {
    let ("machine.approved", Some(machine_id)) = (event.topic.as_str(), &event.machine_id) else {
        return Ok(());
    };
    let machine = engine.host.machines().get(machine_id).await?;
    let title = format!("New machine {}", machine.name);
    engine.notes.remember(&title, format!("{} {}", machine.os_name, machine.os_version)).await?;
    Ok(())
}
