//! A job: work that must go on when the agent ends. Its program runs below a process of its own session and writes to
//! files in a folder of its own; whoever is the agent then follows them.
//!
//! The folder's files, in the order in which they appear: `job.json` what to do, `started` by whom (made once and
//! never again: that is why a job never runs twice), `child` the program, `out`, `err` and `progress` what it writes,
//! `ended` how it ended.

mod follow;
mod process;
mod runner;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::packages::{Exit, Plan};
use crate::storage::{self, private_dir, read_optional, write_private};

pub(super) use follow::{Followed, follow};
pub use process::Who;
pub(crate) use process::{Reach, Signal};
pub use runner::Runner;
pub(super) use runner::launch;
pub use runner::run;

/// Largest file of a job that is read whole.
const MAX_FILE: u64 = 4 << 20;

/// What a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Programs to run.
    Process {
        /// The command's name.
        command: String,
        /// The command's parameters, as they came.
        payload: String,
        /// What to run.
        plan: Plan,
    },
    /// The agent becomes another version of itself.
    Update {
        /// From this.
        from: String,
        /// To this.
        to: String,
    },
    /// A restart of the machine.
    Reboot {
        /// The boot before it.
        boot_id: String,
        /// When it is due, in this machine's time.
        due: i64,
        /// Told to people.
        message: String,
    },
}

/// A job's folder.
#[derive(Debug, Clone)]
pub struct JobDir(PathBuf);

impl JobDir {
    /// The folder at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder of `task` below `jobs`.
    pub fn of(jobs: &Path, task: Uuid) -> Self {
        Self(jobs.join(task.to_string()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Make the folder and write what to do.
    pub fn create(&self, job: &Job) -> io::Result<()> {
        private_dir(&self.0)?;
        self.write("job.json", job)
    }

    /// What to do; `None` when there is no such job.
    pub fn job(&self) -> io::Result<Option<Job>> {
        self.read("job.json")
    }

    /// Keep something beside the job.
    pub fn write(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        write_private(&self.file(name), &serde_json::to_vec(value)?)
    }

    /// What was kept, if it was.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match read_optional(&self.file(name), MAX_FILE)? {
            Some(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            None => Ok(None),
        }
    }

    /// Be the one who starts it: true once in the life of the job.
    pub fn claim(&self, who: &Who) -> io::Result<bool> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = self.file("started");
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(&serde_json::to_vec(who)?)?;
                file.sync_all()?;
                storage::sync_folder(&path)?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether somebody claimed it. One who died while writing who he is has claimed it all the same.
    pub fn is_claimed(&self) -> bool {
        self.file("started").exists()
    }

    /// How it ended, once it has.
    pub fn ended(&self) -> io::Result<Option<Exit>> {
        self.read("ended")
    }

    /// The end of what it printed, both streams, errors last.
    pub fn tail(&self) -> String {
        ["out", "err"].map(|name| tail(&self.file(name))).join("\n")
    }

    /// Forget it.
    pub fn remove(&self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "a job's folder cannot be removed");
        }
    }
}

/// The last 64 KiB of a file as text.
fn tail(path: &Path) -> String {
    use std::io::{Read, Seek, SeekFrom};
    const MOST: u64 = 64 << 10;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// Tasks that have a folder below `jobs`.
pub fn known(jobs: &Path) -> Vec<Uuid> {
    let entries = fs::read_dir(jobs).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
