//! What the host has been told of the inventory: one digest per section, and when to look again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use agent_protocol::inventory::{Digest, InventorySection, SectionDigest};

use crate::{
    clock::now_ms,
    hub::Hub,
    inventory::{self, SECTIONS, source::Root},
};

/// Digests of the sections, as they were collected last.
#[derive(Debug)]
pub struct InventoryState {
    root: Root,
    hub: Arc<Hub>,
    digests: Mutex<BTreeMap<&'static str, inventory::Digest>>,
}

impl InventoryState {
    /// Nothing collected yet.
    pub fn new(root: Root, hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self { root, hub, digests: Mutex::new(BTreeMap::new()) })
    }

    fn digests(&self) -> MutexGuard<'_, BTreeMap<&'static str, inventory::Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree collectors read.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Digests for the hello.
    pub fn section_digests(&self) -> Vec<SectionDigest> {
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
            }
        }
        if !changed.is_empty() {
            tracing::debug!(?changed, "inventory changed");
            self.hub.want_sections(changed.iter().copied());
        }
        changed
    }

    /// A section as it is now, to be sent.
    pub async fn section(self: &Arc<Self>, name: &'static str) -> Option<InventorySection> {
        let section = self.collect(name).await?;
        self.digests().insert(name, section.digest);
        Some(InventorySection {
            name: name.into(),
            digest: Digest::new(section.digest),
            collected_at: now_ms(),
            data: section.body.into(),
        })
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
