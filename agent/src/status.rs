//! What `sysmanage-agent status` shows: a small file the running agent keeps up to date.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use agent_protocol::{UnixMs, session::Welcome};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{clock::now_ms, storage};

/// Where the connection stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Not connected; trying.
    #[default]
    Disconnected,
    /// The host has not approved this machine yet.
    WaitingForApproval,
    /// In session.
    Connected,
    /// The agent ended in good order.
    Stopped,
}

/// The file's content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// The agent's process.
    pub pid: u32,
    /// The agent's version.
    pub version: String,
    /// Where the connection stands.
    pub connection: ConnectionState,
    /// Since when.
    pub since: UnixMs,
    /// The session, when connected.
    pub session_id: Option<Uuid>,
    /// The host's version, when known.
    pub host_version: String,
    /// Why it is not connected.
    pub last_error: Option<String>,
}

/// Keeps the file.
#[derive(Debug)]
pub struct StatusFile {
    path: PathBuf,
    status: Mutex<Status>,
}

impl StatusFile {
    /// At `path`, written at once.
    pub fn open(path: PathBuf) -> Self {
        let status = Status {
            pid: std::process::id(),
            version: crate::update::running().to_string(),
            ..Status::default()
        };
        let file = Self { path, status: Mutex::new(status) };
        file.change(|_| {});
        file
    }

    /// A session began.
    pub fn connected(&self, welcome: &Welcome) {
        self.change(|status| {
            status.connection = ConnectionState::Connected;
            status.session_id = Some(welcome.session_id);
            status.host_version.clone_from(&welcome.host_version);
            status.last_error = None;
        });
    }

    /// The session ended, or none began.
    pub fn disconnected(&self, error: &str) {
        self.change(|status| {
            status.connection = ConnectionState::Disconnected;
            status.session_id = None;
            status.last_error = Some(error.to_owned());
        });
    }

    /// An administrator has to decide.
    pub fn waiting_for_approval(&self) {
        self.change(|status| status.connection = ConnectionState::WaitingForApproval);
    }

    /// The agent ends.
    pub fn stopped(&self) {
        self.change(|status| (status.connection, status.session_id) = (ConnectionState::Stopped, None));
    }

    fn change(&self, change: impl FnOnce(&mut Status)) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let before = status.connection;
        change(&mut status);
        if before != status.connection || status.since == 0 {
            status.since = now_ms();
        }
        // Not synced to disk: after a power cut it would be wrong anyway.
        let written = serde_json::to_vec_pretty(&*status).map_err(std::io::Error::other).and_then(|bytes| {
            let sibling = self.path.with_extension("new");
            std::io::Write::write_all(&mut storage::create_private(&sibling)?, &bytes)?;
            std::fs::rename(sibling, &self.path)
        });
        if let Err(error) = written {
            tracing::debug!(%error, "the status file cannot be written");
        }
    }
}

/// Read the file; `None` when no agent ever ran here.
pub fn read(path: &Path) -> std::io::Result<Option<Status>> {
    let bytes = storage::read_optional(path, 64 << 10)?;
    bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(std::io::Error::other)).transpose()
}
