//! Service `events`.

use plugin_api::{EngineError, error::decode, services::events::Event};

use super::{Host, nothing, uuid};
use crate::events::NewEvent;

pub(super) fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    match method {
        "publish" => publish(host, decode(payload)?),
        other => Err(EngineError::unknown("events method", other)),
    }
}

fn publish(host: &Host, event: Event) -> Result<Vec<u8>, EngineError> {
    let id = host.id();
    let own = event.topic.strip_prefix(id).is_some_and(|r| r.starts_with('.') && r.len() > 1);
    if !own || event.topic.len() > 200 {
        return Err(EngineError::new("foreign_topic", format!("Topics of this engine begin with `{id}.`.")));
    }
    let permission = event.permission.unwrap_or_else(|| "engines:read".into());
    if permission != "engines:read" && !host.manifest.permissions.iter().any(|p| p.name == permission) {
        let why = format!("`{permission}` is not a permission of this engine's manifest.");
        return Err(EngineError::new("foreign_permission", why));
    }
    let mut new = NewEvent::new(event.topic, permission, event.data);
    if let Some(machine) = event.machine_id {
        new = new.machine(uuid(&machine)?);
    }
    host.app()?.events.publish(new);
    nothing()
}
