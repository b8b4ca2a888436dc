//! The commands every agent has.

use std::sync::Arc;

use agent_protocol::task::Command;
use plugin_api::EngineError;
use serde::{Deserialize, Serialize};

use crate::{clock::now_ms, facts, inventory::SECTIONS, inventory_state::InventoryState};

/// A command of the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// `core.ping`: does nothing, proves the way there and back.
    Ping,
    /// `core.refresh_inventory`: collects sections now and sends those that changed.
    RefreshInventory,
}

/// The command of this name (without `core.`).
pub fn find(name: &str) -> Option<Builtin> {
    match name {
        "ping" => Some(Builtin::Ping),
        "refresh_inventory" => Some(Builtin::RefreshInventory),
        _ => None,
    }
}

#[derive(Serialize)]
struct Pong<'a> {
    agent_version: &'a str,
    now_unix_ms: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refresh {
    sections: Vec<String>,
}

#[derive(Serialize)]
struct Refreshed {
    collected: Vec<String>,
    changed: Vec<String>,
}

/// Run it.
pub async fn run(
    builtin: Builtin,
    command: &Command,
    inventory: &Arc<InventoryState>,
) -> Result<Vec<u8>, EngineError> {
    match builtin {
        Builtin::Ping => {
            plugin_api::error::encode(&Pong { agent_version: facts::VERSION, now_unix_ms: now_ms() })
        }
        Builtin::RefreshInventory => {
            let asked: Refresh = if command.payload.is_empty() {
                Refresh::default()
            } else {
                plugin_api::error::decode(&command.payload)?
            };
            let names: Vec<&'static str> = SECTIONS
                .into_iter()
                .filter(|name| {
                    asked.sections.is_empty() || asked.sections.iter().any(|wanted| wanted == name)
                })
                .collect();
            let changed = inventory.refresh(&names).await;
            let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
            plugin_api::error::encode(&Refreshed { collected: texts(names), changed: texts(changed) })
        }
    }
}
