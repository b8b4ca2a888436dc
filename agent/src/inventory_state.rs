//! What the host has been told of the inventory: one digest per section, and when to look again.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use agent_protocol::{
    Frame,
    inventory::{Digest, InventoryAck, InventoryRequest, SectionDigest},
};

use crate::{
    hub::Hub,
    inventory::{self, SECTIONS, source::Root},
    inventory_memory::{Memory, whole},
};

/// Digests of the sections, as they were collected last, or as the host had them before the agent started.
#[derive(Debug)]
pub struct InventoryState {
    root: Root,
    hub: Arc<Hub>,
    digests: Mutex<BTreeMap<&'static str, inventory::Digest>>,
    memory: Option<Memory>,
    /// Whether this session's host takes changes alone.
    deltas: AtomicBool,
}

impl InventoryState {
    /// Nothing collected yet. Without a memory, sections travel whole.
    pub fn new(root: Root, hub: Arc<Hub>, memory: Option<Memory>) -> Arc<Self> {
        let remembered = |name| {
            let digest = memory.as_ref().and_then(|memory: &Memory| memory.host_digest(name))?;
            Some((name, *digest.bytes()))
        };
        let digests = Mutex::new(SECTIONS.into_iter().filter_map(remembered).collect());
        Arc::new(Self { root, hub, digests, memory, deltas: AtomicBool::new(false) })
    }

    /// A session begins with a host that takes changes alone, or not.
    pub fn host_takes_deltas(&self, takes: bool) {
        self.deltas.store(takes, Relaxed);
    }

    /// The host asks for sections. What it does not say it has, it gets whole.
    pub fn requested(&self, request: &InventoryRequest) {
        // What is sent is always collected anew; what is not known here is not ours to send.
        let named: Vec<&'static str> = match request.names.is_empty() {
            true => SECTIONS.to_vec(),
            false => request.names.iter().filter_map(|name| known(name)).collect(),
        };
        for name in &named {
            let base = request.bases.iter().find(|base| base.name == *name);
            if let Some(memory) = &self.memory {
                memory.host_has(name, base.map(|base| &base.digest));
            }
        }
        self.hub.want_sections(named);
    }

    /// The host has stored a section.
    pub fn acknowledged(&self, ack: &InventoryAck) {
        if let (Some(memory), Some(name)) = (&self.memory, known(&ack.name)) {
            memory.acknowledged(name, &ack.digest);
        }
    }

    fn digests(&self) -> MutexGuard<'_, BTreeMap<&'static str, inventory::Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree collectors read.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Digests for the hello. The host asks for those it does not have: what waited to be sent need not be, unasked.
    pub fn section_digests(&self) -> Vec<SectionDigest> {
        // Before the digests are read: one that comes in between is told and sent, never neither.
        self.hub.forget_sections();
        let digest = |(name, digest): (&&'static str, &inventory::Digest)| SectionDigest {
            name: (*name).into(),
            digest: Digest::new(*digest),
        };
        self.digests().iter().map(digest).collect()
    }

    /// Collect sections; those that changed are sent. Returns their names.
    pub async fn refresh(self: &Arc<Self>, names: &[&'static str]) -> Vec<&'static str> {
        let mut changed = Vec::new();
        for name in names.iter().copied() {
            let Some(section) = self.collect(name).await else { continue };
            let before = self.digests().insert(name, section.digest);
            if before != Some(section.digest) {
                changed.push(name);
                // At once: what takes long to collect holds up nothing.
                self.hub.want_sections([name]);
            }
        }
        if !changed.is_empty() {
            tracing::debug!(?changed, "inventory changed");
        }
        crate::heap::trim();
        changed
    }

    /// What tells the host of a section as it is now.
    pub async fn frame(self: &Arc<Self>, name: &'static str) -> Option<Frame> {
        let section = self.collect(name).await?;
        self.digests().insert(name, section.digest);
        let state = Arc::clone(self);
        let frame = move || match &state.memory {
            Some(memory) if state.deltas.load(Relaxed) => memory.frame(section),
            _ => whole(section),
        };
        tokio::task::spawn_blocking(frame).await.ok()
    }

    async fn collect(self: &Arc<Self>, name: &'static str) -> Option<inventory::Section> {
        let state = Arc::clone(self);
        tokio::task::spawn_blocking(move || inventory::collect(&state.root, name)).await.ok().flatten()
    }
}

/// Our name for a section the host asks for.
pub fn known(name: &str) -> Option<&'static str> {
    SECTIONS.into_iter().find(|known| *known == name)
}
