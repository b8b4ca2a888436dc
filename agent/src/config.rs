//! `agent.toml`, overridden by `SYSMANAGE_AGENT__SECTION__KEY` in the environment.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where the agent keeps its data by default.
pub const DEFAULT_DATA: &str = "/var/lib/sysmanage-agent";
/// Where its configuration is by default.
pub const DEFAULT_CONFIG: &str = "/etc/sysmanage-agent";
const ENVIRONMENT: &str = "SYSMANAGE_AGENT__";
const MAX_CONFIG: u64 = 256 << 10;

/// Everything that can be configured; every key has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The owner's policy; `policy.toml` beside `agent.toml` when left out.
    pub policy_file: Option<PathBuf>,
    /// Logging.
    pub log: Log,
    /// Inventory.
    pub inventory: Inventory,
    /// Commands.
    pub tasks: Tasks,
    /// Spool.
    pub spool: Spool,
    /// Connection.
    pub connection: Connection,
    /// Restart and shutdown.
    pub power: Power,
    /// Root of the file tree that collectors read.
    pub root: PathBuf,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Levels by target, e.g. `info` or `warn,sysmanage_agent=debug`.
    pub filter: String,
    /// One JSON object a line.
    pub json: bool,
}

/// `[inventory]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inventory {
    /// Seconds between two collections of everything.
    pub interval_s: u64,
}

/// `[tasks]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tasks {
    /// Commands that run at once; the rest wait.
    pub concurrency: usize,
    /// Seconds after which a command without a deadline of its own ends.
    pub default_deadline_s: u64,
    /// Seconds a command may still take after it was told to stop.
    pub grace_s: u64,
    /// Bytes of output kept of one command; what is beyond is counted, not kept.
    pub max_output_bytes: u64,
}

/// `[spool]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spool {
    /// Bytes of output and results that may wait for the host.
    pub max_bytes: u64,
    /// Days a finished command's id is remembered.
    pub retention_days: u32,
}

/// `[connection]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// Seconds between heartbeats, until the host says otherwise.
    pub heartbeat_s: u64,
    /// Longest wait before another attempt, in seconds.
    pub max_backoff_s: u64,
    /// Seconds an attempt to connect may take.
    pub connect_timeout_s: u64,
}

/// `[power]`: programs with their arguments. `{minutes}` and `{message}` are filled in; no shell reads them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Power {
    /// Restarts the machine at once.
    pub reboot: Vec<String>,
    /// Shuts it down in some minutes, one at least.
    pub shutdown: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            policy_file: None,
            log: Log::default(),
            inventory: Inventory::default(),
            tasks: Tasks::default(),
            spool: Spool::default(),
            connection: Connection::default(),
            power: Power::default(),
            root: "/".into(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), json: false }
    }
}

impl Default for Inventory {
    fn default() -> Self {
        Self { interval_s: 3600 }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self { concurrency: 8, default_deadline_s: 3600, grace_s: 10, max_output_bytes: 16 << 20 }
    }
}

impl Default for Spool {
    fn default() -> Self {
        Self { max_bytes: 64 << 20, retention_days: 30 }
    }
}

impl Default for Power {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        if cfg!(windows) {
            return Self {
                reboot: words(&["shutdown", "/r", "/t", "0", "/c", "{message}"]),
                shutdown: words(&["shutdown", "/s", "/t", "60", "/c", "{message}"]),
            };
        }
        // Linux says -P for off; elsewhere it is -p.
        let off = if cfg!(target_os = "linux") { "-P" } else { "-p" };
        Self {
            reboot: words(&["shutdown", "-r", "--", "now", "{message}"]),
            shutdown: words(&["shutdown", off, "--", "+{minutes}", "{message}"]),
        }
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self { heartbeat_s: 60, max_backoff_s: 300, connect_timeout_s: 30 }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} does not parse: {error}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        error: Box<toml::de::Error>,
    },
    /// A key is unknown or its value is not of its kind.
    #[error("the configuration is wrong: {0}")]
    Invalid(#[source] Box<toml::de::Error>),
    /// A value is outside what makes sense.
    #[error("the configuration is wrong: {0}")]
    OutOfRange(&'static str),
}

/// The configuration folder: `/etc/sysmanage-agent`, or the data folder when that was chosen by hand.
pub fn folder(data: &Path) -> PathBuf {
    if data == Path::new(DEFAULT_DATA) { DEFAULT_CONFIG.into() } else { data.to_owned() }
}

impl Config {
    /// Read `agent.toml` of `folder` and the environment.
    pub fn load(
        folder: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let path = folder.join("agent.toml");
        let bytes = crate::storage::read_optional(&path, MAX_CONFIG)
            .map_err(|error| ConfigError::Read { path: path.clone(), error })?
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut table: toml::Table =
            text.parse().map_err(|error| ConfigError::Parse { path, error: Box::new(error) })?;
        overlay(&mut table, environment);
        let config: Self =
            table.try_into().map_err(|error: toml::de::Error| ConfigError::Invalid(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    /// The owner's policy file.
    pub fn policy_path(&self, folder: &Path) -> PathBuf {
        self.policy_file.clone().unwrap_or_else(|| folder.join("policy.toml"))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let rules = [
            (self.tasks.concurrency > 0 && self.tasks.concurrency <= 256, "tasks.concurrency is 1 to 256"),
            (self.tasks.default_deadline_s > 0, "tasks.default_deadline_s is at least 1"),
            (self.spool.max_bytes >= 1 << 20, "spool.max_bytes is at least 1048576"),
            (self.spool.retention_days > 0, "spool.retention_days is at least 1"),
            (self.connection.heartbeat_s > 0, "connection.heartbeat_s is at least 1"),
            (self.connection.connect_timeout_s > 0, "connection.connect_timeout_s is at least 1"),
            (!self.power.reboot.is_empty() && !self.power.shutdown.is_empty(), "power needs programs"),
            (self.inventory.interval_s >= 60, "inventory.interval_s is at least 60"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(ConfigError::OutOfRange(rule)),
            None => Ok(()),
        }
    }
}

/// Put `SYSMANAGE_AGENT__LOG__FILTER=debug` at `log.filter`. A value that is TOML is taken as such, else as text.
fn overlay(table: &mut toml::Table, environment: impl IntoIterator<Item = (String, String)>) {
    for (name, value) in environment {
        let Some(path) = name.strip_prefix(ENVIRONMENT) else { continue };
        let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let Some((last, parents)) = keys.split_last() else { continue };
        let mut at = &mut *table;
        for key in parents {
            let entry = at.entry(key.clone()).or_insert_with(|| toml::Table::new().into());
            if !entry.is_table() {
                *entry = toml::Table::new().into();
            }
            let Some(inner) = entry.as_table_mut() else { return };
            at = inner;
        }
        let parsed = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
        at.insert(last.clone(), parsed.unwrap_or(toml::Value::String(value)));
    }
}
