//! Notices that the package database changed, and looks at everything else now and then.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::inventory_state::InventoryState;

/// dpkg writes its database many times in one run; look when it has been quiet this long.
#[cfg(target_os = "linux")]
const QUIET: Duration = Duration::from_millis(700);
/// ... but not later than this after the first change.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(10);
/// Sections that cost next to nothing are collected this often.
const LIGHT: Duration = Duration::from_secs(60);
/// Those sections.
const LIGHT_SECTIONS: [&str; 4] = ["os", "memory", "disks", "network"];

/// Keep the inventory fresh until `stop`; everything is collected again every `interval`.
pub async fn run(inventory: Arc<InventoryState>, interval: Duration, stop: CancellationToken) {
    tokio::select! {
        () = packages(&inventory) => {}
        () = periodically(&inventory, interval) => {}
        () = stop.cancelled() => {}
    }
}

async fn periodically(inventory: &Arc<InventoryState>, interval: Duration) {
    let mut last_full = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(LIGHT.min(interval)).await;
        if last_full.elapsed() >= interval {
            last_full = tokio::time::Instant::now();
            inventory.refresh(&crate::inventory::SECTIONS).await;
        } else {
            inventory.refresh(&LIGHT_SECTIONS).await;
        }
    }
}

#[cfg(not(target_os = "linux"))]
async fn packages(_inventory: &Arc<InventoryState>) {
    // The periodic look is all there is here.
    std::future::pending().await
}

#[cfg(target_os = "linux")]
async fn packages(inventory: &Arc<InventoryState>) {
    let folder = inventory.root().path("var/lib/dpkg");
    let mut changes = match inotify::Changes::of(&folder, "status") {
        Ok(changes) => changes,
        Err(error) => {
            tracing::info!(%error, folder = %folder.display(), "package changes are noticed by the periodic look only");
            return std::future::pending().await;
        }
    };
    loop {
        if let Err(error) = changes.next().await {
            tracing::warn!(%error, "package changes are noticed by the periodic look only");
            return std::future::pending().await;
        }
        let latest = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < latest
            && matches!(tokio::time::timeout(QUIET, changes.next()).await, Ok(Ok(())))
        {}
        inventory.refresh(&["packages", "os"]).await;
    }
}

#[cfg(target_os = "linux")]
mod inotify {
    //! Changes of one file in a folder, by the kernel's notice.

    use std::{
        io,
        path::{Path, PathBuf},
        time::SystemTime,
    };

    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    use tokio::net::unix::pipe::Receiver;

    pub struct Changes {
        /// The kernel's notices are read like a pipe; what they say is left aside, the file itself is looked at.
        notices: Receiver,
        file: PathBuf,
        last: Option<(u64, SystemTime)>,
    }

    impl Changes {
        /// Of the file `name` in `folder`, written or replaced.
        pub fn of(folder: &Path, name: &str) -> io::Result<Self> {
            let notices = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            add_watch(
                &notices,
                folder,
                WatchFlags::MOVED_TO | WatchFlags::CLOSE_WRITE | WatchFlags::ONLYDIR,
            )?;
            let file = folder.join(name);
            Ok(Self { notices: Receiver::from_owned_fd_unchecked(notices)?, last: stamp(&file), file })
        }

        /// The next change.
        pub async fn next(&mut self) -> io::Result<()> {
            let mut buffer = [0; 4096];
            loop {
                self.notices.readable().await?;
                match self.notices.try_read(&mut buffer) {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => return Err(error),
                }
                let now = stamp(&self.file);
                if now != self.last {
                    self.last = now;
                    return Ok(());
                }
            }
        }
    }

    fn stamp(file: &Path) -> Option<(u64, SystemTime)> {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    }
}
