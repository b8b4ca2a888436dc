//! Changes of files, by the kernel's notice: one instance for all folders.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
    time::SystemTime,
};

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use tokio::net::unix::pipe::Receiver;

use super::Group;
use crate::inventory::source::Root;

/// Files (or whole folders, whose own time stamp tells) and what they are about, each in the folder that is watched.
const FILES: [(Group, &str, &str); 19] = [
    (Group::Packages, "var/lib/dpkg", "status"),
    (Group::Packages, "var/lib/rpm", "rpmdb.sqlite"),
    (Group::Packages, "var/lib/rpm", "rpmdb.sqlite-wal"),
    (Group::Packages, "var/lib/rpm", "Packages"),
    (Group::Packages, "usr/lib/sysimage/rpm", "rpmdb.sqlite"),
    (Group::Packages, "usr/lib/sysimage/rpm", "rpmdb.sqlite-wal"),
    (Group::Packages, "usr/lib/sysimage/rpm", "Packages.db"),
    (Group::Packages, "lib/apk/db", "installed"),
    (Group::Packages, "var/lib/pacman/local", "."),
    (Group::Packages, "var/lib/snapd", "state.json"),
    (Group::Lists, "var/lib/apt/lists", "."),
    (Group::Lists, "etc/apt/preferences.d", "."),
    (Group::Accounts, "etc", "passwd"),
    (Group::Accounts, "etc", "group"),
    (Group::Accounts, "etc", "shadow"),
    (Group::Accounts, "etc", "sudoers"),
    (Group::Accounts, "etc/sudoers.d", "."),
    (Group::Reboot, "run", "reboot-required"),
    (Group::Reboot, "run", "reboot-required.pkgs"),
];

type Stamp = Option<(u64, SystemTime)>;

/// Watched files and how they looked last.
pub struct Changes {
    /// The kernel's notices are read like a pipe; what they say is left aside, the files themselves are looked at.
    notices: Receiver,
    files: BTreeMap<PathBuf, (Group, Stamp)>,
}

impl Changes {
    /// Of all folders that are there; an error when none is.
    pub fn of(root: &Root) -> io::Result<Self> {
        let notices = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let kinds = WatchFlags::MOVED_TO
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        let mut files = BTreeMap::new();
        for (group, folder, name) in FILES {
            let folder = root.path(folder);
            // Watching a folder twice is watching it once.
            if add_watch(&notices, &folder, kinds).is_ok() {
                let file = folder.join(name);
                let stamp = stamp(&file);
                files.insert(file, (group, stamp));
            }
        }
        if files.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self { notices: Receiver::from_owned_fd_unchecked(notices)?, files })
    }

    /// Wait for the next change and add what it is about.
    pub async fn next(&mut self, groups: &mut BTreeSet<Group>) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            self.notices.readable().await?;
            match self.notices.try_read(&mut buffer) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            let mut any = false;
            for (file, (group, last)) in &mut self.files {
                let now = stamp(file);
                if now != *last {
                    *last = now;
                    groups.insert(*group);
                    any = true;
                }
            }
            if any {
                return Ok(());
            }
        }
    }
}

fn stamp(file: &std::path::Path) -> Stamp {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
