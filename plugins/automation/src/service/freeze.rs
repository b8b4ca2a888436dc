//! Turns a selector or a list of machines into frozen targets, within the actor's reach.

use std::collections::{BTreeSet, HashMap};

use plugin_sdk::{CallContext, payloads::machines::Machine};
use uuid::Uuid;

use super::Service;
use crate::{
    error::{Error, Result},
    model::limits,
};

/// Up to so many machines are looked up one by one; more are picked from all that the actor reaches.
const ONE_BY_ONE: usize = 20;

/// Where targets come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Selector; empty when machines are named.
    pub selector: String,
    /// Machines; empty when a selector is given.
    pub machine_ids: Vec<Uuid>,
}

impl Targets {
    /// Exactly one of both.
    pub fn check(selector: Option<String>, machine_ids: Option<Vec<Uuid>>) -> Result<Self> {
        let selector = selector.unwrap_or_default().trim().to_owned();
        let machine_ids = machine_ids.unwrap_or_default();
        if selector.is_empty() == machine_ids.is_empty() {
            return Err(Error::invalid("selector", "expected either a selector or machine_ids"));
        }
        if selector.len() > limits::SELECTOR_BYTES {
            return Err(Error::invalid(
                "selector",
                format!("expected at most {} bytes", limits::SELECTOR_BYTES),
            ));
        }
        if machine_ids.len() > limits::MACHINE_IDS {
            return Err(Error::invalid("machine_ids", format!("expected at most {}", limits::MACHINE_IDS)));
        }
        Ok(Self { selector, machine_ids })
    }
}

/// A frozen target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Machine.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

impl Service {
    /// The machines, each once, in the order of their ids.
    ///
    /// # Errors
    /// `no_targets`, `machines_unknown` with those that do not exist or are out of reach, or what the host says of the
    /// selector.
    pub(super) async fn freeze(&self, ctx: &CallContext, targets: &Targets) -> Result<Vec<Target>> {
        let machines = match targets.machine_ids.as_slice() {
            [] => self.host.machines().select_all(ctx, &targets.selector, limits::TARGETS).await?,
            ids => self.named(ctx, ids).await?,
        };
        let mut frozen = Vec::with_capacity(machines.len());
        for machine in machines {
            let id = Uuid::try_parse(&machine.id).map_err(plugin_sdk::EngineError::bad_payload)?;
            frozen.push(Target { id, name: machine.name.chars().take(200).collect() });
        }
        frozen.sort_unstable_by_key(|t| t.id);
        frozen.dedup_by_key(|t| t.id);
        if frozen.is_empty() { Err(Error::NoTargets) } else { Ok(frozen) }
    }

    async fn named(&self, ctx: &CallContext, ids: &[Uuid]) -> Result<Vec<Machine>> {
        let wanted: BTreeSet<_> = ids.iter().copied().collect();
        let mut found = HashMap::new();
        if ctx.scope.is_empty() && wanted.len() <= ONE_BY_ONE {
            for id in &wanted {
                match self.host.machines().get(&id.to_string()).await {
                    Ok(machine) => drop(found.insert(*id, machine)),
                    Err(e) if e.code == "not_found" => {}
                    Err(e) => return Err(e.into()),
                }
            }
        } else {
            self.pick(ctx, &wanted, &mut found).await?;
        }
        let unknown: Vec<_> =
            wanted.iter().filter(|id| !found.contains_key(id)).map(Uuid::to_string).collect();
        if unknown.is_empty() {
            Ok(found.into_values().collect())
        } else {
            Err(Error::MachinesUnknown(unknown))
        }
    }

    /// Page through everything the actor reaches until all are found: the host applies the scope.
    async fn pick(
        &self,
        ctx: &CallContext,
        wanted: &BTreeSet<Uuid>,
        found: &mut HashMap<Uuid, Machine>,
    ) -> Result<()> {
        let mut after: Option<String> = None;
        loop {
            let page = self.host.machines().select(ctx, "", after.as_deref()).await?;
            for machine in page.machines {
                match Uuid::try_parse(&machine.id) {
                    Ok(id) if wanted.contains(&id) => drop(found.insert(id, machine)),
                    _ => {}
                }
            }
            match page.next {
                Some(next) if found.len() < wanted.len() && after.as_ref() != Some(&next) => {
                    after = Some(next)
                }
                _ => return Ok(()),
            }
        }
    }
}
