//! One host per data directory.

use std::{fs::File, path::Path};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};

/// Held while a host, or a restore, uses the data directory. The kernel frees it when the process ends.
#[derive(Debug)]
pub struct DataLock(#[allow(dead_code)] File);

impl DataLock {
    /// Take the lock, or say that somebody else has it.
    pub fn take(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("lock");
        let file = File::options().create(true).write(true).truncate(false).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("a host already runs on {}: stop it first", data_dir.display());
        }
        Ok(Self(file))
    }
}
