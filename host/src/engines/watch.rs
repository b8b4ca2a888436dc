//! Notices packages that are dropped into the folder: by the system's notices, and by looking now and then.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use notify::{
    Event, EventKind, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use tokio::sync::Notify;

use super::service::Engines;

/// A look without a notice: network folders give none.
const RESCAN: Duration = Duration::from_secs(5);
/// A file is taken when it did not change for so long: whoever copies it may be half-way.
const QUIET: Duration = Duration::from_millis(300);

/// Air-gap bundles of the portal.
const BUNDLE: &str = "bundle";

type Shape = (u64, Option<SystemTime>);

#[derive(Default)]
struct Seen {
    /// Files that were looked at, by what they were.
    done: HashMap<PathBuf, Shape>,
}

/// Watch until the host stops. The first look has already happened.
pub(super) async fn run(engines: Engines) {
    let wake = Arc::new(Notify::new());
    let woken = wake.clone();
    let tell = move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| is_news(event.kind)) {
            woken.notify_one();
        }
    };
    let watcher = notify::recommended_watcher(tell).and_then(|mut w| {
        w.watch(&engines.0.files.drop_in, RecursiveMode::NonRecursive)?;
        Ok(w)
    });
    if let Err(error) = &watcher {
        tracing::warn!(%error, "the engines folder gives no notices; it is looked at every 5 s");
    }
    let mut seen = Seen::default();
    let stop = engines.0.core.shutdown.clone();
    loop {
        scan(&engines, &mut seen).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
            () = tokio::time::sleep(RESCAN) => {}
        }
    }
}

/// Whether a look is due. Reading is no news: our own look reads the folder, and would call for the next one.
fn is_news(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

fn shape(path: &Path) -> Option<Shape> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    meta.is_file().then(|| (meta.len(), meta.modified().ok()))
}

async fn scan(engines: &Engines, seen: &mut Seen) {
    let folder = engines.0.files.drop_in.clone();
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|x| x == "engine" || x == BUNDLE))
        .collect();
    found.sort();
    seen.done.retain(|path, _| found.contains(path));
    forget_refused(engines, &found);
    for path in found {
        let Some(before) = shape(&path) else { continue };
        if seen.done.get(&path) == Some(&before) {
            continue;
        }
        tokio::time::sleep(QUIET).await;
        if shape(&path) != Some(before) {
            // Still being written: its next change, or the next look, brings us back.
            continue;
        }
        seen.done.insert(path.clone(), before);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|x| x == BUNDLE) {
            take_bundle(engines, &path, &name).await;
            continue;
        }
        match engines.drop_in(&path).await {
            Ok(done) => {
                tracing::info!(file = %name, engine.id = %done.id, engine.version = %done.version, state = %done.state, "engine package installed");
            }
            Err(fault) => engines.refuse(&name, &fault),
        }
    }
}

/// Take in a bundle; the folder loses it.
async fn take_bundle(engines: &Engines, path: &Path, name: &str) {
    let Some(app) = engines.app() else { return };
    match app.marketplace.import_dropped(path).await {
        Ok(brought) => {
            tracing::info!(file = %name, engines = brought.engines.len(), "a bundle was taken in");
            if let Err(error) = tokio::fs::remove_file(path).await {
                tracing::warn!(file = %name, %error, "a bundle that was taken in could not be removed");
            }
        }
        Err(error) => engines.note_refused(name, error.reason(), &error.to_string()),
    }
}

/// A refused file that was taken away is no longer listed.
fn forget_refused(engines: &Engines, found: &[PathBuf]) {
    let there = |file: &str| found.iter().any(|p| p.file_name().is_some_and(|n| n.to_string_lossy() == file));
    let mut refused = engines.0.refused.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    refused.retain(|file, _| file.starts_with('(') || there(file));
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, RemoveKind};

    use super::*;

    #[test]
    fn reading_the_folder_does_not_call_for_another_look() {
        for kind in
            [AccessKind::Read, AccessKind::Open(AccessMode::Read), AccessKind::Close(AccessMode::Read)]
        {
            assert!(!is_news(EventKind::Access(kind)), "{kind:?}");
        }
        for kind in [
            EventKind::Access(AccessKind::Close(AccessMode::Write)),
            EventKind::Create(CreateKind::File),
            EventKind::Remove(RemoveKind::File),
        ] {
            assert!(is_news(kind), "{kind:?}");
        }
    }
}
