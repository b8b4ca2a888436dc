//! What is known of connected machines between two writes to the database: last sign of life and metrics.
//!
//! Five thousand heartbeats are five thousand changes in memory and, every few seconds, a handful of statements.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use agent_protocol::metrics::Metrics;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A connected machine.
#[derive(Debug, Clone)]
pub struct Presence {
    /// When the session began.
    pub since: DateTime<Utc>,
    /// Last sign of life.
    pub last_seen: DateTime<Utc>,
    /// Newest metrics.
    pub metrics: Option<Arc<Metrics>>,
    /// Publish metrics as events until then.
    pub watched_until: Option<DateTime<Utc>>,
}

/// Connected machines, and what is to be written of them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LiveMachines(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    present: HashMap<Uuid, Presence>,
    seen: HashMap<Uuid, DateTime<Utc>>,
    came: HashSet<Uuid>,
    went: HashSet<Uuid>,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    pub seen: HashMap<Uuid, DateTime<Utc>>,
    pub came: HashSet<Uuid>,
    pub went: HashSet<Uuid>,
}

impl LiveMachines {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The machine's session began. True when it was not connected before.
    pub(super) fn came(&self, id: Uuid, now: DateTime<Utc>) -> bool {
        let mut inner = self.inner();
        inner.went.remove(&id);
        inner.came.insert(id);
        inner.seen.insert(id, now);
        let known = inner.present.get(&id).and_then(|p| p.metrics.clone());
        let presence = Presence { since: now, last_seen: now, metrics: known, watched_until: None };
        inner.present.insert(id, presence).is_none()
    }

    /// The machine's last session ended. True when it was connected.
    pub(super) fn went(&self, id: Uuid) -> bool {
        let mut inner = self.inner();
        inner.came.remove(&id);
        inner.went.insert(id);
        inner.present.remove(&id).is_some()
    }

    /// A sign of life. The presence when somebody watches.
    pub(super) fn beat(&self, id: Uuid, now: DateTime<Utc>, metrics: Option<Metrics>) -> Option<Presence> {
        let mut inner = self.inner();
        inner.seen.insert(id, now);
        let presence = inner.present.get_mut(&id)?;
        presence.last_seen = now;
        if let Some(metrics) = metrics {
            presence.metrics = Some(Arc::new(metrics));
        }
        presence.watched_until.is_some_and(|until| until > now).then(|| presence.clone())
    }

    /// Publish the machine's metrics until `until`. False when it is not connected.
    pub(super) fn watch(&self, id: Uuid, until: DateTime<Utc>) -> bool {
        let mut inner = self.inner();
        let Some(presence) = inner.present.get_mut(&id) else { return false };
        presence.watched_until = Some(until);
        true
    }

    /// The machine's presence, when it is connected.
    pub fn get(&self, id: Uuid) -> Option<Presence> {
        self.inner().present.get(&id).cloned()
    }

    pub(super) fn take_unwritten(&self) -> Unwritten {
        let mut inner = self.inner();
        Unwritten {
            seen: std::mem::take(&mut inner.seen),
            came: std::mem::take(&mut inner.came),
            went: std::mem::take(&mut inner.went),
        }
    }

    /// Writing failed: keep it for the next time, unless there is newer.
    pub(super) fn give_back(&self, unwritten: Unwritten) {
        let mut inner = self.inner();
        for (id, at) in unwritten.seen {
            inner.seen.entry(id).or_insert(at);
        }
        for id in unwritten.came {
            if !inner.went.contains(&id) {
                inner.came.insert(id);
            }
        }
        for id in unwritten.went {
            if !inner.came.contains(&id) {
                inner.went.insert(id);
            }
        }
    }
}
