//! Who is connected, and what waits to be sent to whom.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use agent_protocol::{Frame, Lane, Outbox, OutboxFull, session::Goodbye};
use tokio::sync::Notify;
use uuid::Uuid;

/// Bytes that may wait per lane: control, commands, bulk. Past them the agent is too slow.
const BOUNDS: [usize; 3] = [512 * 1024, 8 * 1024 * 1024, 1024 * 1024];

/// Why a frame was not queued.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The machine has no session.
    #[error("the machine is not connected")]
    NotConnected,
    /// Its lane is full, or the frame cannot be encoded.
    #[error(transparent)]
    Outbox(#[from] OutboxFull),
}

/// One connected agent. The gateway's connection owns the socket; everybody else queues frames here.
#[derive(Debug)]
pub struct Session {
    /// Id of the session.
    pub id: Uuid,
    /// The machine.
    pub machine: Uuid,
    outbox: Mutex<Outbox>,
    waiting: Notify,
    goodbye: Mutex<Option<Goodbye>>,
    closing: AtomicBool,
    deltas: AtomicBool,
}

impl Session {
    fn new(machine: Uuid) -> Self {
        Self {
            id: Uuid::now_v7(),
            machine,
            outbox: Mutex::new(Outbox::new(BOUNDS)),
            waiting: Notify::new(),
            goodbye: Mutex::new(None),
            closing: AtomicBool::new(false),
            deltas: AtomicBool::new(false),
        }
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Queue a frame. A full lane means an agent that does not read: its session ends, and everything that matters is
    /// sent again when it comes back.
    pub fn send(&self, frame: &Frame) -> Result<(), SendError> {
        let pushed = self.outbox().push(frame);
        match pushed {
            Ok(()) => self.waiting.notify_one(),
            Err(OutboxFull::Lane(lane)) => {
                let message = format!("The {} lane is full: the agent reads too slowly.", lane.name());
                self.close(Goodbye::new("slow_consumer", message));
                return Err(OutboxFull::Lane(lane).into());
            }
            Err(error) => {
                tracing::error!(%error, kind = frame.kind(), "a frame cannot be encoded");
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// End the session with a goodbye; the first one counts.
    pub fn close(&self, goodbye: Goodbye) {
        self.goodbye.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(goodbye);
        self.closing.store(true, Ordering::Release);
        self.waiting.notify_one();
    }

    /// The agent remembers what is acknowledged, and sends changes alone.
    pub(super) fn takes_deltas(&self) {
        self.deltas.store(true, Ordering::Release);
    }

    /// Whether the agent wants to know what is stored.
    pub(super) fn has_deltas(&self) -> bool {
        self.deltas.load(Ordering::Acquire)
    }

    /// Whether the session is about to end.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// What to say before closing, once.
    pub(super) fn take_goodbye(&self) -> Option<Goodbye> {
        self.goodbye.lock().unwrap_or_else(|e| e.into_inner()).take()
    }

    /// The next packet, when one waits.
    pub(super) fn next_packet(&self) -> Option<Vec<u8>> {
        self.outbox().pop()
    }

    /// Resolves when there may be something to send.
    pub(super) async fn something_waits(&self) {
        self.waiting.notified().await;
    }

    fn has_room(&self) -> bool {
        !self.is_closing() && self.outbox().waiting_bytes(Lane::Commands) < BOUNDS[1] / 2
    }
}

/// Every session, one per machine. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Sessions(Arc<RwLock<HashMap<Uuid, Arc<Session>>>>);

impl Sessions {
    /// Open a session; the machine's older one, if any, is told to go.
    pub fn open(&self, machine: Uuid) -> Arc<Session> {
        let session = Arc::new(Session::new(machine));
        let old = self.0.write().unwrap_or_else(|e| e.into_inner()).insert(machine, session.clone());
        if let Some(old) = old {
            old.close(Goodbye::new("replaced", "The machine has opened a newer connection."));
        }
        session
    }

    /// Forget a session that has ended; a newer one of the same machine stays. False when there was a newer one.
    pub fn remove(&self, session: &Session) -> bool {
        let mut all = self.0.write().unwrap_or_else(|e| e.into_inner());
        let current = all.get(&session.machine).is_some_and(|s| s.id == session.id);
        if current {
            all.remove(&session.machine);
        }
        current
    }

    /// The machine's session.
    pub fn get(&self, machine: Uuid) -> Option<Arc<Session>> {
        self.0.read().unwrap_or_else(|e| e.into_inner()).get(&machine).cloned()
    }

    /// Queue a frame for a machine.
    pub fn send(&self, machine: Uuid, frame: &Frame) -> Result<(), SendError> {
        self.get(machine).ok_or(SendError::NotConnected)?.send(frame)
    }

    /// Queue a frame for every connected machine; the number of them.
    pub fn send_all(&self, frame: &Frame) -> usize {
        self.all().iter().filter(|s| s.send(frame).is_ok()).count()
    }

    /// Whether another command may be queued for the machine.
    pub fn has_room(&self, machine: Uuid) -> bool {
        self.get(machine).is_some_and(|s| s.has_room())
    }

    /// End the machine's session.
    pub fn disconnect(&self, machine: Uuid, code: &str, message: &str) {
        if let Some(session) = self.get(machine) {
            session.close(Goodbye::new(code, message));
        }
    }

    /// End every session.
    pub fn disconnect_all(&self, code: &str, message: &str) {
        for session in self.all() {
            session.close(Goodbye::new(code, message));
        }
    }

    /// Every session.
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.0.read().unwrap_or_else(|e| e.into_inner()).values().cloned().collect()
    }

    /// How many machines are connected.
    pub fn count(&self) -> usize {
        self.0.read().unwrap_or_else(|e| e.into_inner()).len()
    }
}
