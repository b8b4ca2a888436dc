//! The machine owner's policy: what the host may not do here, whatever it says.
//!
//! The file is read again whenever it changed. A file that does not parse, or that others may write, forbids
//! everything but `core.ping`: a policy that cannot be read must not be weaker than the one that was meant.

pub mod glob;
mod window;

use std::{
    fs::Metadata,
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use chrono::{DateTime, Local};
use serde::Deserialize;

pub use glob::matches;
pub use window::Window;

/// Largest policy file.
const MAX_POLICY: u64 = 256 << 10;

/// `policy.toml`. Absent means that everything is allowed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Which commands may run.
    pub commands: Rules,
    /// Which engines may be loaded.
    pub engines: Rules,
    /// Whether commands that run scripts may run: `script = "deny"`.
    pub scripts: Scripts,
    /// When set, commands run only within one of these; those in `always` run at any time.
    pub windows: Vec<Window>,
    /// Commands the windows do not hold back, besides `core.*`.
    pub always: Vec<String>,
}

/// Allowed and denied names; `*` stands for any text, `?` for one character.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// When not empty, only what matches one of these is allowed.
    pub allow: Vec<String>,
    /// What matches one of these is forbidden, even when allowed above.
    pub deny: Vec<String>,
}

/// Whether scripts may run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scripts {
    /// They may.
    #[default]
    Allow,
    /// They may not: every command that is named for scripts is refused.
    Deny,
}

/// A refusal, with the rule that made it, for the host to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The owner of this machine forbids it: {0}")]
pub struct Forbidden(pub String);

/// The stable code of a [`Forbidden`].
pub const FORBIDDEN_BY_POLICY: &str = "forbidden_by_policy";

/// Why a policy file is not followed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// It is not TOML of this form.
    #[error("{path} does not parse: {error}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        error: Box<toml::de::Error>,
    },
    /// Somebody else could have written it.
    #[error("{path} must belong to root or to the agent's user, and only its owner may write it")]
    Insecure {
        /// The file.
        path: PathBuf,
    },
}

impl Rules {
    fn check(&self, kind: &str, name: &str) -> Result<(), Forbidden> {
        if let Some(rule) = self.deny.iter().find(|rule| matches(rule, name)) {
            return Err(Forbidden(format!("{kind}.deny has `{rule}`, which matches `{name}`.")));
        }
        if !self.allow.is_empty() && !self.allow.iter().any(|rule| matches(rule, name)) {
            return Err(Forbidden(format!("{kind}.allow has nothing that matches `{name}`.")));
        }
        Ok(())
    }
}

impl Policy {
    /// Parse the file's text.
    pub fn parse(text: &str) -> Result<Self, Box<toml::de::Error>> {
        toml::from_str(text).map_err(Box::new)
    }

    /// Whether the command `name` (with its engine's prefix) may run at `now`.
    pub fn allows_command(&self, name: &str, now: DateTime<Local>) -> Result<(), Forbidden> {
        self.commands.check("commands", name)?;
        if let Some((engine, _)) = name.split_once('.').filter(|(engine, _)| *engine != "core") {
            self.allows_engine(engine)?;
        }
        if self.scripts == Scripts::Deny && is_script(name) {
            return Err(Forbidden(format!("scripts = \"deny\", and `{name}` runs scripts.")));
        }
        let exempt = name.starts_with("core.") || self.always.iter().any(|rule| matches(rule, name));
        if !exempt && !self.windows.is_empty() && !self.windows.iter().any(|window| window.contains(now)) {
            return Err(Forbidden("it is outside the maintenance windows.".into()));
        }
        Ok(())
    }

    /// Whether the engine may be loaded.
    pub fn allows_engine(&self, id: &str) -> Result<(), Forbidden> {
        self.engines.check("engines", id)
    }
}

/// Commands that run code the host sends say so in their name: `run_script`, `exec`, `shell`.
fn is_script(name: &str) -> bool {
    let command = name.split_once('.').map_or(name, |(_, command)| command);
    command.split('_').any(|word| matches!(word, "script" | "scripts" | "exec" | "shell"))
}

/// The policy in force, read again when the file changes.
#[derive(Debug)]
pub struct PolicyFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stamp: Option<Stamp>,
    read: bool,
    policy: Policy,
    broken: Option<String>,
}

/// Tells one version of the file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<std::time::SystemTime>,
    length: u64,
    inode: u64,
    changed: i64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let (inode, changed) = {
            use std::os::unix::fs::MetadataExt;
            let changed = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
            (metadata.ino(), changed)
        };
        #[cfg(not(unix))]
        let (inode, changed) = (0, 0);
        Self { modified: metadata.modified().ok(), length: metadata.len(), inode, changed }
    }
}

impl PolicyFile {
    /// The policy at `path`, which need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), state: Mutex::new(State::default()) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the command may run now.
    pub fn allows_command(&self, name: &str) -> Result<(), Forbidden> {
        self.with_current(|state| match &state.broken {
            Some(reason) if name != "core.ping" => Err(Forbidden(reason.clone())),
            _ => state.policy.allows_command(name, Local::now()),
        })
    }

    /// Whether the engine may be loaded.
    pub fn allows_engine(&self, id: &str) -> Result<(), Forbidden> {
        self.with_current(|state| match &state.broken {
            Some(reason) => Err(Forbidden(reason.clone())),
            None => state.policy.allows_engine(id),
        })
    }

    fn with_current<T>(&self, use_it: impl FnOnce(&State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // One stat per question: cheaper than being told of changes, and never late.
        let stamp = std::fs::metadata(&self.path).ok().map(|metadata| Stamp::of(&metadata));
        if !state.read || state.stamp != stamp {
            match load(&self.path) {
                Ok(policy) => (state.policy, state.broken) = (policy, None),
                Err(error) => {
                    tracing::error!(%error, "the owner's policy cannot be followed; everything is forbidden");
                    state.broken = Some(format!("{error}."));
                }
            }
            (state.stamp, state.read) = (stamp, true);
        }
        use_it(&state)
    }
}

/// Read and check a policy file; one that does not exist allows everything.
pub fn load(path: &Path) -> Result<Policy, PolicyError> {
    let failed = |error| PolicyError::Read { path: path.into(), error };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Policy::default()),
        Err(e) => return Err(failed(e)),
    };
    if !is_private_to_owner(&metadata) {
        return Err(PolicyError::Insecure { path: path.into() });
    }
    let bytes = crate::storage::read_optional(path, MAX_POLICY).map_err(failed)?.unwrap_or_default();
    let text = String::from_utf8(bytes)
        .map_err(|_| failed(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8")))?;
    Policy::parse(&text).map_err(|error| PolicyError::Parse { path: path.into(), error })
}

#[cfg(unix)]
fn is_private_to_owner(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::geteuid().as_raw();
    (metadata.uid() == 0 || metadata.uid() == own) && metadata.mode() & 0o022 == 0
}

#[cfg(not(unix))]
fn is_private_to_owner(_metadata: &Metadata) -> bool {
    true
}
