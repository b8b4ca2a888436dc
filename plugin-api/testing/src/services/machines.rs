//! Machines and a small part of the selector language: `all`, `tag:`, `os:`, `name:`, `id:`, `online:`, `not`.

use plugin_api::{
    EngineError,
    services::machines::{Machine, MachineId, Select, Selected},
};

use super::FakeHost;

/// Largest page.
const PAGE: usize = 500;

pub(super) fn matches(selector: &str, machine: &Machine) -> Result<bool, EngineError> {
    let mut negated = false;
    for term in selector.split_whitespace() {
        if term == "not" {
            negated = !negated;
            continue;
        }
        let found = match term.split_once(':') {
            Some(("tag", tag)) => machine.tags.iter().any(|t| t == tag),
            Some(("os", os)) => machine.os_name == os || machine.os_family == os,
            Some(("name", name)) => machine.name == name,
            Some(("id", id)) => machine.id == id,
            Some(("online", wanted)) => machine.online == (wanted == "true"),
            None if matches!(term, "all" | "*") => true,
            _ => {
                let text = format!("The selector does not know `{term}`.");
                return Err(EngineError::new("invalid_selector", text));
            }
        };
        if found == negated {
            return Ok(false);
        }
        negated = false;
    }
    Ok(true)
}

impl FakeHost {
    pub(super) fn select(&self, select: &Select) -> Result<Selected, EngineError> {
        let state = self.lock();
        let mut found = Vec::new();
        for machine in state.machines.values() {
            if matches(&select.context.scope, machine)? && matches(&select.selector, machine)? {
                found.push(machine.clone());
            }
        }
        let total = found.len() as u64;
        if let Some(after) = &select.after {
            found.retain(|m| m.id > *after);
        }
        let limit = match select.limit {
            0 => PAGE,
            n => usize::try_from(n).unwrap_or(PAGE).min(PAGE),
        };
        let next = (found.len() > limit).then(|| found[limit - 1].id.clone());
        found.truncate(limit);
        Ok(Selected { machines: found, total, next })
    }

    pub(super) fn machine(&self, id: &MachineId) -> Result<Machine, EngineError> {
        let found = self.lock().machines.get(&id.id).cloned();
        found.ok_or_else(|| EngineError::new("not_found", format!("There is no machine `{}`.", id.id)))
    }
}
