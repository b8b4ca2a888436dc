//! rpm's database in the three forms it has had: SQLite, ndb and Berkeley DB. Each is read entry by entry; none is written.

pub mod bdb;
pub mod header;
pub mod ndb;
pub mod sqlite;

use std::{io, path::PathBuf};

use super::{MAX_PACKAGES, Package};
use crate::inventory::source::Root;

/// Where distributions keep the database.
const FOLDERS: [&str; 2] = ["usr/lib/sysimage/rpm", "var/lib/rpm"];
/// An entry larger than this is no package header.
pub const MAX_BLOB: usize = 16 << 20;

/// Gives each entry to `take`.
type Reader = fn(&std::path::Path, &mut dyn FnMut(&[u8])) -> io::Result<()>;

/// Installed packages; `None` where there is no such database, or an empty one.
pub fn collect(root: &Root) -> Option<io::Result<Vec<Package>>> {
    let forms: [(&str, Reader); 3] =
        [("rpmdb.sqlite", sqlite_entries), ("Packages.db", ndb::entries), ("Packages", bdb::entries)];
    for folder in FOLDERS {
        for (file, read) in forms {
            let path: PathBuf = root.path(&format!("{folder}/{file}"));
            if path.is_file() {
                let packages = list(&path, read);
                return packages.map(|p| (!p.is_empty()).then_some(p)).transpose();
            }
        }
    }
    None
}

fn sqlite_entries(path: &std::path::Path, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    sqlite::Database::open(path)?.rows("Packages", &mut |row| {
        // The number of the entry, then the entry.
        if let Some(sqlite::Value::Blob(blob)) = row.get(1) {
            take(blob);
        }
    })
}

fn list(path: &std::path::Path, read: Reader) -> io::Result<Vec<Package>> {
    let mut packages = Vec::new();
    read(path, &mut |blob| {
        if packages.len() < MAX_PACKAGES {
            packages.extend(header::package(blob));
        }
    })?;
    Ok(packages)
}

/// What is said of a file that is not laid out as it should be.
pub fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
