//! Keeps the inventory fresh: what the kernel tells of at once, what costs little often, everything now and then.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::inventory_state::InventoryState;

#[cfg(target_os = "linux")]
mod files;

/// Package systems write their databases many times in one run; look when it has been quiet this long.
#[cfg(target_os = "linux")]
const QUIET: Duration = Duration::from_millis(700);
/// ... but not later than this after the first change.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(10);
/// Sections that cost next to nothing are collected this often.
const LIGHT: Duration = Duration::from_secs(60);
/// Those sections.
const LIGHT_SECTIONS: [&str; 4] = ["os", "memory", "disks", "network"];
/// Sections that change without a file that could be watched are collected in every so many light rounds.
const STEADY_ROUNDS: u32 = 5;
/// Those sections.
const STEADY_SECTIONS: [&str; 4] = ["services", "sockets", "firewall", "guests"];

/// Keep the inventory fresh until `stop`; everything is collected at once and again every `interval`.
pub async fn run(inventory: Arc<InventoryState>, interval: Duration, stop: CancellationToken) {
    tokio::select! {
        () = changes(&inventory) => {}
        () = periodically(&inventory, interval) => {}
        () = stop.cancelled() => {}
    }
}

async fn periodically(inventory: &Arc<InventoryState>, interval: Duration) {
    // While the link connects: a section is sent as soon as it is there.
    inventory.refresh(&crate::inventory::SECTIONS).await;
    let mut last_full = tokio::time::Instant::now();
    let mut round = 0_u32;
    loop {
        tokio::time::sleep(LIGHT.min(interval)).await;
        round = round.wrapping_add(1);
        if last_full.elapsed() >= interval {
            last_full = tokio::time::Instant::now();
            inventory.refresh(&crate::inventory::SECTIONS).await;
            continue;
        }
        inventory.refresh(&LIGHT_SECTIONS).await;
        if round.is_multiple_of(STEADY_ROUNDS) {
            inventory.refresh(&STEADY_SECTIONS).await;
        }
    }
}

/// A group of files and the sections that are read from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Databases of package systems.
    Packages,
    /// Lists of what could be installed.
    Lists,
    /// Users and groups.
    Accounts,
    /// The package system's wish for a restart.
    Reboot,
}

/// The sections to collect after changes, in the order people wait for them.
pub fn sections(groups: &BTreeSet<Group>) -> Vec<&'static str> {
    let mut sections: Vec<&'static str> = Vec::new();
    for group in groups {
        let own: &[&'static str] = match group {
            Group::Packages => &["packages", "os", "reboot", "services", "updates", "roles"],
            Group::Lists => &["updates"],
            Group::Accounts => &["users"],
            Group::Reboot => &["reboot", "os"],
        };
        sections.extend(own.iter().filter(|name| !sections.contains(name)).copied().collect::<Vec<_>>());
    }
    sections
}

#[cfg(not(target_os = "linux"))]
async fn changes(_inventory: &Arc<InventoryState>) {
    // The periodic look is all there is here.
    std::future::pending().await
}

#[cfg(target_os = "linux")]
async fn changes(inventory: &Arc<InventoryState>) {
    let mut changes = match files::Changes::of(inventory.root()) {
        Ok(changes) => changes,
        Err(error) => {
            tracing::info!(%error, "changes are noticed by the periodic look only");
            return std::future::pending().await;
        }
    };
    loop {
        let mut groups = BTreeSet::new();
        if let Err(error) = changes.next(&mut groups).await {
            tracing::warn!(%error, "changes are noticed by the periodic look only");
            return std::future::pending().await;
        }
        let latest = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < latest
            && matches!(tokio::time::timeout(QUIET, changes.next(&mut groups)).await, Ok(Ok(())))
        {}
        // One by one: what people wait for is sent before what takes long is collected.
        for section in sections(&groups) {
            inventory.refresh(&[section]).await;
        }
    }
}
