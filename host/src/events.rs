//! The event bus: what happened, told to SSE clients, engines and the host's own listeners.
//!
//! Events are hints, not records: they live in memory, in a bounded ring for clients that come back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::clock::SharedClock;

pub mod routes;

/// Events kept for clients that come back, and for slow listeners.
const RING: usize = 4096;
/// Longest data of an event, as JSON.
const MAX_DATA_BYTES: usize = 64 * 1024;

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Grows with every event, also across restarts.
    pub id: u64,
    /// Past tense: `machine.approved`.
    pub topic: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Facts.
    pub data: Value,
    /// The machine it concerns.
    pub machine_id: Option<Uuid>,
    /// The operation it concerns as a whole.
    #[serde(skip)]
    pub operation_id: Option<Uuid>,
    /// Permission needed to see it.
    #[serde(skip)]
    pub permission: String,
}

/// An event to publish.
#[derive(Debug, Clone)]
pub struct NewEvent {
    topic: String,
    data: Value,
    machine_id: Option<Uuid>,
    operation_id: Option<Uuid>,
    permission: String,
}

impl NewEvent {
    /// An event with `topic` and `data`, seen by those who hold `permission`.
    pub fn new(topic: impl Into<String>, permission: impl Into<String>, data: Value) -> Self {
        Self {
            topic: topic.into(),
            data,
            machine_id: None,
            operation_id: None,
            permission: permission.into(),
        }
    }

    /// The machine it concerns; only those whose scope holds the machine see it.
    pub fn machine(mut self, id: Uuid) -> Self {
        self.machine_id = Some(id);
        self
    }

    /// The operation it concerns as a whole. Who may see some of its machines only learns that it changed, not what.
    pub fn operation(mut self, id: Uuid) -> Self {
        self.operation_id = Some(id);
        self
    }
}

/// The bus. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    clock: SharedClock,
    sender: broadcast::Sender<Arc<Event>>,
    ring: Arc<Mutex<Ring>>,
}

#[derive(Debug)]
struct Ring {
    next_id: u64,
    events: VecDeque<Arc<Event>>,
}

/// What a client that comes back with the id it saw last has missed.
#[derive(Debug)]
pub struct Missed {
    /// The events after that id which are still known.
    pub events: Vec<Arc<Event>>,
    /// Whether older ones are lost.
    pub gap: bool,
}

impl Events {
    /// An empty bus. Ids start at the clock's milliseconds, so that they grow across restarts.
    pub fn new(clock: SharedClock) -> Self {
        let next_id = u64::try_from(clock.now().timestamp_millis()).unwrap_or(0) << 12;
        let (sender, _) = broadcast::channel(RING);
        let ring = Arc::new(Mutex::new(Ring { next_id, events: VecDeque::with_capacity(RING) }));
        Self { clock, sender, ring }
    }

    /// Tell everybody. Never waits; data that is too long is replaced by a note.
    pub fn publish(&self, new: NewEvent) {
        let too_long = serde_json::to_vec(&new.data).map_or(true, |json| json.len() > MAX_DATA_BYTES);
        let data = if too_long { serde_json::json!({"omitted": "too long"}) } else { new.data };
        let mut ring = self.ring.lock().unwrap_or_else(|e| e.into_inner());
        let event = Arc::new(Event {
            id: ring.next_id,
            topic: new.topic,
            at: self.clock.now(),
            data,
            machine_id: new.machine_id,
            operation_id: new.operation_id,
            permission: new.permission,
        });
        ring.next_id += 1;
        if ring.events.len() == RING {
            ring.events.pop_front();
        }
        ring.events.push_back(event.clone());
        // Sent under the lock, so that listeners see ids in order. No listener is no error.
        let _ = self.sender.send(event);
    }

    /// Listen from now on. A listener that falls more than the ring behind is told by `Lagged`.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.sender.subscribe()
    }

    /// Listen from now on, and get what came after `last_id`, with nothing lost or doubled between.
    pub fn resume(&self, last_id: u64) -> (Missed, broadcast::Receiver<Arc<Event>>) {
        let ring = self.ring.lock().unwrap_or_else(|e| e.into_inner());
        let receiver = self.sender.subscribe();
        let oldest = ring.events.front().map_or(ring.next_id, |e| e.id);
        let events = ring.events.iter().filter(|e| e.id > last_id).cloned().collect();
        (Missed { events, gap: last_id + 1 < oldest }, receiver)
    }

    /// The id of the newest event, 0 when there is none.
    pub fn last_id(&self) -> u64 {
        self.ring.lock().unwrap_or_else(|e| e.into_inner()).next_id.saturating_sub(1)
    }
}

/// Whether `topic` matches `pattern`: equal, `*`, or a prefix that ends in `.*`.
pub fn topic_matches(pattern: &str, topic: &str) -> bool {
    pattern == "*"
        || pattern == topic
        || pattern.strip_suffix('*').is_some_and(|prefix| prefix.ends_with('.') && topic.starts_with(prefix))
}
