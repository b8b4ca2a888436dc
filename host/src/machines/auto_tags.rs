//! Automatic tags: machines that a tag's rule selects have it, and no others. Rules are evaluated for machines that
//! changed, soon after, and for all machines every minute, because time changes what rules select too.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use sea_orm::{Condition, ConnectionTrait};
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{MachineError, Machines, facts, tag_store as tags};
use crate::{
    audit::Change,
    ctx::Ctx,
    events::Event,
    selector::{Asks, Selector},
};

/// How long changes gather.
/// Presence is written a little after it is told.
const GATHER: Duration = Duration::from_millis(1500);
/// How often all machines are looked at.
const EVERYTHING_EVERY: Duration = Duration::from_secs(60);
/// Changed machines looked at one by one; of more all are looked at together.
const MOST_CHANGED: usize = 2000;
/// Most machines a rule may select.
const MOST: u64 = 1_000_000;

/// What rules wait for.
enum Due {
    /// These machines changed.
    Some(HashSet<Uuid>),
    /// Anything may have changed.
    Everything,
    /// The host stops.
    Stop,
}

impl Machines {
    /// Keep automatic tags as their rules say, until `stop`.
    pub(super) async fn keep_tags(&self, stop: CancellationToken) {
        let mut events = self.core.events.subscribe();
        let mut next = tokio::time::Instant::now();
        loop {
            let due = gathered(&mut events, next, &stop).await;
            let done = match due {
                Due::Stop => return,
                Due::Some(ids) => self.apply_rules_to(&ids.into_iter().collect::<Vec<_>>()).await,
                Due::Everything => {
                    next = tokio::time::Instant::now() + EVERYTHING_EVERY;
                    self.apply_rules().await
                }
            };
            if let Err(error) = done {
                tracing::warn!(%error, "automatic tags could not be brought up to date, trying again");
            }
        }
    }

    /// Rules that can be used, by tag.
    async fn rules(&self) -> Result<BTreeMap<String, Selector>, MachineError> {
        let rules = tags::automatic(self.core.db.read()).await?;
        let env = self.core.selectors.env();
        let usable = |(tag, text): (String, String)| match text.parse::<Selector>() {
            // A rule that cannot be used leaves its tag as it is.
            Ok(selector) if env.expand(selector.node()).is_ok() => Some((tag, selector)),
            _ => {
                tracing::warn!(tag, rule = text, "the rule of an automatic tag cannot be used");
                None
            }
        };
        Ok(rules.into_iter().filter_map(usable).collect())
    }

    /// Bring every automatic tag up to date.
    pub(super) async fn apply_rules(&self) -> Result<(), MachineError> {
        for (tag, selector) in self.rules().await? {
            let tx = self.core.db.begin().await?;
            let condition = selector.condition(&self.core.selectors.env());
            let wanted: HashSet<Uuid> = tags::selected(&tx, condition, MOST).await?.into_iter().collect();
            let have = tags::machines_with(&tx, &tag).await?;
            let add: Vec<Uuid> = wanted.difference(&have).copied().collect();
            let remove: Vec<Uuid> = have.difference(&wanted).copied().collect();
            if self.write(&tx, &tag, &selector, &add, &remove).await? {
                tx.commit().await?;
                self.told(&tag, &add, &remove);
            }
        }
        Ok(())
    }

    /// Bring the automatic tags of these machines up to date.
    async fn apply_rules_to(&self, ids: &[Uuid]) -> Result<(), MachineError> {
        let rules = self.rules().await?;
        if rules.is_empty() {
            return Ok(());
        }
        let env = self.core.selectors.env();
        let tx = self.core.db.begin().await?;
        let asks = rules.values().fold(Asks::default(), |all, rule| all.and(rule.asks(&env)));
        let machines = facts::load(&tx, ids, Condition::all(), asks).await?;
        let mut changes = Vec::new();
        for (tag, selector) in &rules {
            let (mut add, mut remove) = (Vec::new(), Vec::new());
            for machine in &machines {
                match (selector.matches(machine, &env), machine.tags.contains(tag)) {
                    (true, false) => add.push(machine.id),
                    (false, true) => remove.push(machine.id),
                    _ => {}
                }
            }
            if self.write(&tx, tag, selector, &add, &remove).await? {
                changes.push((tag, add, remove));
            }
        }
        tx.commit().await?;
        changes.iter().for_each(|(tag, add, remove)| self.told(tag, add, remove));
        Ok(())
    }

    /// Write what a rule changes, with an audit entry per machine. False when nothing changes.
    async fn write(
        &self,
        tx: &impl ConnectionTrait,
        tag: &str,
        rule: &Selector,
        add: &[Uuid],
        remove: &[Uuid],
    ) -> Result<bool, MachineError> {
        tags::set(tx, tag, add, true).await?;
        tags::set(tx, tag, remove, false).await?;
        let ctx = Ctx::job("machines.automatic_tags");
        for (ids, key) in [(add, "added"), (remove, "removed")] {
            for id in ids {
                let why = json!({key: [tag], "rule": rule.to_string()});
                let entry = Change::new("machine.tagged", "machine", id).after(why);
                self.core.audit.record_in(&ctx, tx, entry).await?;
            }
        }
        Ok(!add.is_empty() || !remove.is_empty())
    }

    fn told(&self, tag: &str, add: &[Uuid], remove: &[Uuid]) {
        for (ids, added, removed) in [(add, vec![tag], vec![]), (remove, vec![], vec![tag])] {
            for id in ids {
                self.publish("machine.tagged", *id, json!({"added": added, "removed": removed}));
            }
        }
    }
}

/// Wait for changes of machines, and a little longer for more of them.
async fn gathered(
    events: &mut Receiver<std::sync::Arc<Event>>,
    next: tokio::time::Instant,
    stop: &CancellationToken,
) -> Due {
    let mut changed = HashSet::new();
    let mut until = next;
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return Due::Stop,
            () = tokio::time::sleep_until(until) => {
                return if changed.is_empty() { Due::Everything } else { Due::Some(changed) };
            }
            event = events.recv() => event,
        };
        match event {
            Ok(event) => {
                let matters = event.topic.starts_with("machine.") && event.topic != "machine.metrics";
                if let Some(id) = event.machine_id.filter(|_| matters) {
                    if changed.is_empty() {
                        until = tokio::time::Instant::now() + GATHER;
                    }
                    changed.insert(id);
                }
                if changed.len() > MOST_CHANGED {
                    return Due::Everything;
                }
            }
            Err(RecvError::Lagged(_)) => return Due::Everything,
            Err(RecvError::Closed) => return Due::Stop,
        }
    }
}
