//! The script as a private file: a folder of mode 0700 with one file in it, removed when the script has ended.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use plugin_sdk::{EngineError, EngineResult};
use uuid::Uuid;

use super::account::Account;
use crate::model::{interpreter::Interpreter, wire::ScriptJob};

const PREFIX: &str = "sysmanage-script-";
/// Folders older than this were left by an agent that was killed: no script may run so long.
const STALE: Duration = Duration::from_secs(2 * 86_400);

/// A script on disk. Dropping it removes it too.
pub struct Scratch {
    folder: PathBuf,
    script: String,
}

impl Scratch {
    /// Write the script where only `account` (and root) can read it.
    ///
    /// # Errors
    /// `scratch_failed` with the system's reason.
    pub async fn write(data_dir: &Path, job: &ScriptJob, account: &Account) -> EngineResult<Self> {
        // Another user cannot enter the agent's own folder.
        let base = if account.change_to.is_some() { std::env::temp_dir() } else { data_dir.join("scripts") };
        let (content, change_to) = (job.content.clone(), account.change_to);
        let extension = extension(job.interpreter);
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&base)?;
            sweep(&base);
            write(&base, extension, content.as_bytes(), change_to)
        });
        match written.await {
            Ok(Ok(scratch)) => Ok(scratch),
            Ok(Err(e)) => {
                Err(EngineError::new("scratch_failed", format!("The script cannot be written: {e}.")))
            }
            Err(e) => Err(EngineError::new("scratch_failed", format!("The script cannot be written: {e}."))),
        }
    }

    /// Path of the script.
    pub fn script(&self) -> &str {
        &self.script
    }

    /// Remove it without blocking.
    pub async fn remove(self) {
        // Dropping removes; a failure of the pool only means that it happens here.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "a script's folder cannot be removed");
        }
    }
}

fn extension(interpreter: Interpreter) -> &'static str {
    match interpreter {
        Interpreter::Powershell => "ps1",
        Interpreter::Cmd => "cmd",
        Interpreter::Python3 => "py",
        _ => "sh",
    }
}

fn write(base: &Path, extension: &str, content: &[u8], change_to: Option<(u32, u32)>) -> io::Result<Scratch> {
    // A path that is not text could not be an argument of every interpreter.
    let base = base.to_str().ok_or_else(|| io::Error::other("the folder's path is not UTF-8"))?;
    let folder = format!("{base}/{PREFIX}{}", Uuid::new_v4().simple());
    create_folder(Path::new(&folder))?;
    let scratch = Scratch { script: format!("{folder}/script.{extension}"), folder: folder.into() };
    create_file(Path::new(&scratch.script), content)?;
    #[cfg(unix)]
    if let Some((user, group)) = change_to {
        std::os::unix::fs::chown(&scratch.script, Some(user), Some(group))?;
        std::os::unix::fs::chown(&scratch.folder, Some(user), Some(group))?;
    }
    #[cfg(not(unix))]
    let _ = change_to;
    Ok(scratch)
}

#[cfg(unix)]
fn create_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    // Fails when it exists: nobody can put a link or a folder of their own there.
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

fn create_file(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o700);
    options.open(path)?.write_all(content)
}

/// Remove what a killed agent left.
fn sweep(base: &Path) {
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(PREFIX)) {
        let age = entry.metadata().and_then(|m| m.modified()).map(|t| SystemTime::now().duration_since(t));
        if matches!(age, Ok(Ok(age)) if age > STALE) {
            // `remove_dir_all` does not follow links.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
