//! Beginning, keeping and ending a session; renewing the certificate.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use uuid::Uuid;

use crate::{
    UnixMs,
    engine::LoadedEngine,
    frame::{Check, at_most, name},
    inventory::SectionDigest,
    limits,
    task::TaskNote,
};

/// What a machine is, in short. Whole inventory travels in sections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineFacts {
    /// Host name as the machine sees itself. A label, never an identity.
    pub hostname: String,
    /// `linux`, `windows`, `macos`, `freebsd`, ...
    pub os_family: String,
    /// Identifier of the system: `debian`, `fedora`, ...
    pub os_id: String,
    /// Name for people: `Debian GNU/Linux 13 (trixie)`.
    pub os_name: String,
    /// Version: `13.1`.
    pub os_version: String,
    /// Kernel release.
    pub kernel: String,
    /// Architecture: `x86_64`, `aarch64`, ...
    pub arch: String,
    /// Target triple of the agent: which engine libraries it can load.
    pub target: String,
    /// Processors seen by the scheduler.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Changes with every boot; empty where unknown.
    pub boot_id: String,
    /// Addresses without loopback and link-local ones, as text.
    pub addresses: Vec<String>,
    /// What stays with the hardware or the installation, as `kind:value`: `serial`, `machine-id` (hashed), `mac`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hardware: Vec<String>,
}

impl Check for MachineFacts {
    fn check(&self) -> Result<(), &'static str> {
        let texts = [
            &self.hostname,
            &self.os_family,
            &self.os_id,
            &self.os_name,
            &self.os_version,
            &self.kernel,
            &self.arch,
            &self.target,
            &self.boot_id,
        ];
        for text in texts.into_iter().chain(&self.addresses).chain(&self.hardware) {
            at_most(text.len(), limits::MAX_NAME_BYTES, "facts")?;
        }
        at_most(self.addresses.len(), 256, "facts.addresses")?;
        at_most(self.hardware.len(), 64, "facts.hardware")
    }
}

impl MachineFacts {
    /// Check the limits; the error names the field.
    pub fn within_limits(&self) -> Result<(), &'static str> {
        self.check()
    }
}

/// First frame of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Oldest and newest protocol version the agent speaks.
    pub protocol: (u16, u16),
    /// Version of the agent.
    pub agent_version: String,
    /// Abilities beyond the protocol version, e.g. `cancel`, `engines`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// What the machine is.
    pub facts: MachineFacts,
    /// Digest of every inventory section the agent could send.
    #[serde(default)]
    pub sections: Vec<SectionDigest>,
    /// Every task that was accepted and whose result is not acknowledged.
    #[serde(default)]
    pub tasks: Vec<TaskNote>,
    /// Engines that are loaded now.
    #[serde(default)]
    pub engines: Vec<LoadedEngine>,
    /// The agent's clock, so that the host can show how wrong it is.
    #[serde(default)]
    pub now: UnixMs,
}

impl Check for Hello {
    fn check(&self) -> Result<(), &'static str> {
        name(&self.agent_version, "agent_version")?;
        self.facts.check()?;
        at_most(self.capabilities.len(), 256, "capabilities")?;
        at_most(self.sections.len(), 1024, "sections")?;
        at_most(self.tasks.len(), limits::MAX_LIST, "tasks")?;
        at_most(self.engines.len(), 1024, "engines")?;
        self.capabilities.iter().try_for_each(|c| name(c, "capabilities"))?;
        self.sections.iter().try_for_each(|s| name(&s.name, "sections"))?;
        self.engines.iter().try_for_each(LoadedEngine::check)
    }
}

/// What the host asks of the agent while the session lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// How long between heartbeats, in milliseconds.
    pub heartbeat_interval_ms: u32,
    /// Unacknowledged output per task, in bytes.
    pub output_window_bytes: u32,
    /// Tasks the agent runs at the same time.
    pub concurrent_tasks: u16,
    /// Ask for a new certificate now, even before two thirds of the old one's life.
    pub renew_certificate: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            heartbeat_interval_ms: 60_000,
            output_window_bytes: 256 * 1024,
            concurrent_tasks: 4,
            renew_certificate: false,
        }
    }
}

/// The host's answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version of this session.
    pub protocol: u16,
    /// Id of the session, in the logs of both sides.
    pub session_id: Uuid,
    /// The machine's id on the host.
    pub machine_id: Uuid,
    /// The host's clock.
    pub server_time: UnixMs,
    /// Version of the host.
    #[serde(default)]
    pub host_version: String,
    /// What the host asks.
    #[serde(default)]
    pub policy: Policy,
    /// Abilities of the host beyond the protocol version, e.g. `inventory_delta`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

impl Check for Welcome {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.host_version.len(), limits::MAX_NAME_BYTES, "host_version")?;
        at_most(self.capabilities.len(), 256, "capabilities")?;
        self.capabilities.iter().try_for_each(|c| name(c, "capabilities"))
    }
}

/// Why a session ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goodbye {
    /// Stable code: `version_unsupported`, `malformed_frame`, `rejected`, `replaced`, `host_stopping`,
    /// `agent_stopping`, `heartbeat_missed`, `slow_consumer`, `unexpected_frame`, ...
    pub code: String,
    /// A sentence for the log.
    pub message: String,
    /// Come back no sooner than this, in milliseconds; 0 leaves it to the agent's back-off.
    #[serde(default)]
    pub retry_after_ms: u32,
}

impl Goodbye {
    /// A goodbye that leaves the time of return to the agent.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retry_after_ms: 0 }
    }
}

impl Check for Goodbye {
    fn check(&self) -> Result<(), &'static str> {
        name(&self.code, "code")?;
        at_most(self.message.len(), limits::MAX_MESSAGE_BYTES, "message")
    }
}

/// Are you there?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Comes back in the pong.
    pub nonce: u64,
}

impl Check for Ping {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// The answer to a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// From the ping.
    pub nonce: u64,
}

impl Check for Pong {
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// Ask for a new certificate for the same key, when two thirds of the old one's life are over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest {
    /// PKCS #10 request, DER, made with the key the machine is known by.
    pub csr_der: ByteBuf,
}

impl Check for CertificateRequest {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.csr_der.len(), 16 * 1024, "csr_der")
    }
}

/// The new certificate, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateAnswer {
    /// The chain, leaf first, each DER.
    #[serde(rename = "issued")]
    Issued {
        /// Leaf, then the authority.
        chain_der: Vec<ByteBuf>,
        /// End of the leaf's life.
        not_after: UnixMs,
    },
    /// Refused; the old certificate stays valid until it ends.
    #[serde(rename = "refused")]
    Refused {
        /// Stable code: `other_key`, `bad_request`.
        code: String,
        /// A sentence for the log.
        message: String,
    },
}

impl Check for CertificateAnswer {
    fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Issued { chain_der, .. } => {
                at_most(chain_der.len(), 8, "chain_der")?;
                chain_der.iter().try_for_each(|c| at_most(c.len(), 16 * 1024, "chain_der"))
            }
            Self::Refused { code, message } => {
                name(code, "code")?;
                at_most(message.len(), limits::MAX_MESSAGE_BYTES, "message")
            }
        }
    }
}
