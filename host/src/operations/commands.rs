//! The core's own commands: who may run them, and what is settled before anything is queued.

use agent_protocol::core_command::{CoreCommand, InvalidParameter};
use serde_json::Value;

use super::{NewOperation, OperationError};

/// The permission that a core command needs.
pub fn permission(command: &str) -> &'static str {
    let family = command.strip_prefix("core.").and_then(|rest| rest.split('.').next());
    match family {
        Some("packages") => "packages:manage",
        Some("services") => "services:manage",
        Some("power") => "machines:power",
        Some("agent") => "agents:manage",
        _ => "operations:create",
    }
}

fn parse(command: &str, payload: &Value) -> Option<Result<CoreCommand, InvalidParameter>> {
    CoreCommand::parse(command, payload.to_string().as_bytes())
}

/// Refuse what no agent would run.
pub(super) fn check(command: &str, payload: &Value) -> Result<(), OperationError> {
    match parse(command, payload) {
        None => Err(OperationError::Invalid {
            field: "command",
            detail: format!("There is no core command `{command}`."),
        }),
        Some(Err(InvalidParameter { field, detail })) => Err(OperationError::Invalid { field, detail }),
        Some(Ok(_)) => Ok(()),
    }
}

/// Title and time limit of a core command, where nobody gave them.
pub(super) fn completed(mut new: NewOperation, machines: usize) -> NewOperation {
    let core = if new.engine.is_none() { parse(&new.command, &new.payload) } else { None };
    if let Some(Ok(core)) = core {
        if new.title.is_empty() {
            new.title = core.sentence(machines);
        }
        if new.timeout_s == 0 {
            new.timeout_s = core.default_timeout_s();
        }
    }
    new
}
