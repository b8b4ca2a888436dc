//! The data folder: private files, replaced whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long the lock may still be held by what a killed agent left: a command it was just starting keeps its open files
/// until it becomes the other program.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// The agent's data folder (mode 0700) and the names in it.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Open `path`, making it when missing, closed to others.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        restrict(path, 0o700)?;
        Ok(Self(path.to_owned()))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
    /// The private key, PKCS#8 PEM. It never leaves the machine.
    pub fn key(&self) -> PathBuf {
        self.0.join("identity.key")
    }
    /// The client certificate and its chain, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.0.join("identity.crt")
    }
    /// The host's certificate authority, PEM.
    pub fn authority(&self) -> PathBuf {
        self.0.join("authority.crt")
    }
    /// What enrolment settled: server, machine id. JSON.
    pub fn enrolment(&self) -> PathBuf {
        self.0.join("enrolment.json")
    }
    /// The spool's database.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool.redb")
    }
    /// What `status` reads. JSON.
    pub fn status(&self) -> PathBuf {
        self.0.join("status.json")
    }
    /// What the host has of the inventory.
    pub fn inventory(&self) -> PathBuf {
        self.0.join("inventory")
    }
    /// Figures that wait for the host.
    pub fn figures(&self) -> PathBuf {
        self.0.join("figures")
    }
    /// Verified engine packages.
    pub fn packages(&self) -> PathBuf {
        self.0.join("packages")
    }
    /// One folder per engine.
    pub fn engine(&self, id: &str) -> PathBuf {
        self.0.join("engines").join(id)
    }
    /// What the host assigned, kept for a restart without the host. JSON.
    pub fn assignments(&self) -> PathBuf {
        self.0.join("assignments.json")
    }
    /// One folder per job that runs.
    pub fn jobs(&self) -> PathBuf {
        self.0.join("jobs")
    }
    /// Held while an agent runs on this folder.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }
}

/// Make a private folder (mode 0700) and its parents.
pub fn private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    restrict(path, 0o700)
}

/// Write `bytes` to a file of mode 0600: into a sibling, synced, renamed over `path`, folder synced.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let sibling = path.with_extension("new");
    let mut file = create_private(&sibling)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&sibling, path)?;
    sync_folder(path)
}

/// Create or truncate a file of mode 0600.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    open_private(&mut options, path)
}

/// Open a file for appending, made with mode 0600.
pub fn append_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    open_private(&mut options, path)
}

fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    // The mode above counts only for a new file.
    restrict(path, 0o600)?;
    Ok(file)
}

/// Sync the folder that holds `path`, so that a rename survives a power cut.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(folder) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// A file's bytes, `None` when it does not exist; an error past `limit` bytes.
pub fn read_optional(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{} is too large", path.display())));
    }
    Ok(Some(bytes))
}

/// Take the folder's lock, or say that another agent runs on it. Held until dropped, or the process ends. Waits for a
/// few seconds.
pub fn lock(data: &DataDir) -> io::Result<File> {
    let file = append_private(&data.lock())?;
    let end = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(fs::TryLockError::WouldBlock) => {
                let message = format!("another agent runs on {}", data.path().display());
                return Err(io::Error::new(io::ErrorKind::AddrInUse, message));
            }
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}
