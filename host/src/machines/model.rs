//! Machines, tokens and inventory as the API shows them.

use agent_protocol::metrics::Metrics;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    entity::{change, engine, machine, section, token},
    live::Presence,
};

/// Whether a machine belongs to the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineState {
    /// Waits for an administrator.
    Pending,
    /// Belongs to the fleet.
    Approved,
    /// May not connect.
    Rejected,
}

impl MachineState {
    /// The name used in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The state with this name; anything unknown may not connect.
    pub fn parse(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            _ => Self::Rejected,
        }
    }
}

/// A managed computer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Machine {
    /// Id.
    pub id: Uuid,
    /// Name, the host name until somebody changes it.
    pub name: String,
    /// Whether it belongs to the fleet.
    pub state: MachineState,
    /// Whether its agent is connected.
    pub online: bool,
    /// Last sign of life.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Since when it is stale: silent for longer than the policy says.
    #[serde(default)]
    pub stale_since: Option<DateTime<Utc>>,
    /// Host name, as the machine says.
    pub hostname: String,
    /// `linux`, `windows`, ...
    pub os_family: String,
    /// `debian`, ...
    pub os_id: String,
    /// Name of the system.
    pub os_name: String,
    /// Its version.
    pub os_version: String,
    /// Kernel release.
    pub kernel: String,
    /// Architecture.
    pub arch: String,
    /// Target triple of the agent.
    pub target: String,
    /// Processors.
    pub cpus: i32,
    /// Memory in bytes.
    pub memory_bytes: i64,
    /// Addresses.
    pub addresses: Vec<String>,
    /// Version of the agent.
    pub agent_version: String,
    /// Identity: SHA-256 of the agent's public key.
    pub key_fingerprint: String,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Free text.
    pub notes: String,
    /// When it asked to join.
    pub created_at: DateTime<Utc>,
    /// When it was approved or rejected.
    pub decided_at: Option<DateTime<Utc>>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Updates that are available on it.
    #[serde(default)]
    pub updates: i32,
    /// Those of them that mend security.
    #[serde(default)]
    pub security_updates: i32,
    /// Whether it must be restarted.
    #[serde(default)]
    pub reboot_required: bool,
}

impl Machine {
    pub(super) fn of(row: machine::Model, tags: Vec<String>, presence: Option<&Presence>) -> Self {
        Self {
            id: row.id,
            name: row.name,
            state: MachineState::parse(&row.state),
            online: presence.is_some(),
            last_seen_at: presence.map(|p| p.last_seen).or(row.last_seen_at),
            stale_since: row.stale_since.filter(|_| presence.is_none()),
            hostname: row.hostname,
            os_family: row.os_family,
            os_id: row.os_id,
            os_name: row.os_name,
            os_version: row.os_version,
            kernel: row.kernel,
            arch: row.arch,
            target: row.target,
            cpus: row.cpus,
            memory_bytes: row.memory_bytes,
            addresses: serde_json::from_value(row.addresses).unwrap_or_default(),
            agent_version: row.agent_version,
            key_fingerprint: row.key_fingerprint,
            tags,
            notes: row.notes,
            created_at: row.created_at,
            decided_at: row.decided_at,
            decided_by: row.decided_by,
            updates: row.updates,
            security_updates: row.security_updates,
            reboot_required: row.reboot_required,
        }
    }
}

/// Newest metrics of a machine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LiveMetrics {
    /// When they were read.
    pub at: Option<DateTime<Utc>>,
    /// Seconds since boot.
    pub uptime_s: u64,
    /// Processor use, 0 to 100.
    pub cpu_percent: f32,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: [f32; 3],
    /// Memory in bytes.
    pub memory_total: u64,
    /// Memory that programs could still get, in bytes.
    pub memory_available: u64,
    /// Swap in bytes.
    pub swap_total: u64,
    /// Swap in use, in bytes.
    pub swap_used: u64,
    /// File systems: `{mount, total, used, read_bytes, written_bytes}`.
    #[schema(value_type = Vec<Object>)]
    pub disks: Vec<Value>,
    /// Interfaces: `{name, received_bytes, sent_bytes}`.
    #[schema(value_type = Vec<Object>)]
    pub nets: Vec<Value>,
}

impl From<&Metrics> for LiveMetrics {
    fn from(m: &Metrics) -> Self {
        let disk = |d: &agent_protocol::metrics::DiskMetrics| {
            serde_json::json!({"mount": d.mount, "total": d.total, "used": d.used,
                "read_bytes": d.read_bytes, "written_bytes": d.written_bytes})
        };
        let net = |n: &agent_protocol::metrics::NetMetrics| serde_json::json!({"name": n.name, "received_bytes": n.received_bytes, "sent_bytes": n.sent_bytes});
        Self {
            at: DateTime::from_timestamp_millis(m.at),
            uptime_s: m.uptime_s,
            cpu_percent: m.cpu_percent,
            load: [m.load.0, m.load.1, m.load.2],
            memory_total: m.memory_total,
            memory_available: m.memory_available,
            swap_total: m.swap_total,
            swap_used: m.swap_used,
            disks: m.disks.iter().map(disk).collect(),
            nets: m.nets.iter().map(net).collect(),
        }
    }
}

/// A machine with its newest metrics.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MachineDetails {
    /// The machine.
    #[serde(flatten)]
    pub machine: Machine,
    /// Newest metrics while it is connected.
    pub metrics: Option<LiveMetrics>,
    /// Engines on it.
    pub engines: Vec<MachineEngine>,
    /// Inventory sections the host has.
    pub sections: Vec<SectionSummary>,
}

/// What became of an engine on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MachineEngine {
    /// Engine.
    pub id: String,
    /// Version.
    pub version: String,
    /// `fetching`, `loaded`, `refused` or `failed`.
    pub state: String,
    /// Why, when refused or failed.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// When it was told.
    pub updated_at: DateTime<Utc>,
}

impl From<engine::Model> for MachineEngine {
    fn from(row: engine::Model) -> Self {
        Self {
            id: row.engine_id,
            version: row.version,
            state: row.state,
            code: row.code,
            message: row.message,
            updated_at: row.updated_at,
        }
    }
}

/// An inventory section without its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SectionSummary {
    /// Section.
    pub name: String,
    /// SHA-256 of the data as collected.
    pub digest: String,
    /// When it was collected, by the machine's clock.
    pub collected_at: DateTime<Utc>,
    /// When the host got it.
    pub received_at: DateTime<Utc>,
}

/// An inventory section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Section {
    /// What and when.
    #[serde(flatten)]
    pub summary: SectionSummary,
    /// The section.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<section::Model> for Section {
    fn from(row: section::Model) -> Self {
        let summary = SectionSummary {
            name: row.name,
            digest: row.digest,
            collected_at: row.collected_at,
            received_at: row.received_at,
        };
        Self { summary, data: row.data }
    }
}

/// How a section changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InventoryChange {
    /// Id.
    pub id: Uuid,
    /// Machine.
    pub machine_id: Uuid,
    /// Its name.
    pub machine_name: String,
    /// Section.
    pub section: String,
    /// When the host learned of it.
    pub at: DateTime<Utc>,
    /// `{kind, path, before, after}`, at most 500; the kind is `added`, `removed` or `changed`.
    #[schema(value_type = Vec<Object>)]
    pub changes: Value,
    /// Whether more changed than is listed.
    pub truncated: bool,
}

impl InventoryChange {
    pub(super) fn of(row: change::Model, machine_name: String) -> Self {
        Self {
            id: row.id,
            machine_id: row.machine_id,
            machine_name,
            section: row.section,
            at: row.at,
            changes: row.changes,
            truncated: row.truncated,
        }
    }
}

/// A token that lets agents ask to join; the secret itself is shown once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentToken {
    /// Id.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// Tags its machines get.
    pub tags: Vec<String>,
    /// Whether its machines need no approval.
    pub auto_approve: bool,
    /// How often it may be used; no limit when absent.
    pub max_uses: Option<i32>,
    /// How often it was used.
    pub uses: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// `active`, `revoked`, `expired` or `used_up`.
    pub state: String,
    /// Networks from which it approves; from everywhere when empty.
    pub approve_networks: Vec<String>,
    /// When a machine last joined with it.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl EnrolmentToken {
    pub(super) fn of(row: token::Model, now: DateTime<Utc>) -> Self {
        let state = match &row {
            t if t.revoked_at.is_some() => "revoked",
            t if t.expires_at <= now => "expired",
            t if t.max_uses.is_some_and(|most| t.uses >= most) => "used_up",
            _ => "active",
        };
        Self {
            state: state.into(),
            approve_networks: row
                .approve_networks
                .and_then(|n| serde_json::from_value(n).ok())
                .unwrap_or_default(),
            last_used_at: row.last_used_at,
            id: row.id,
            name: row.name,
            tags: serde_json::from_value(row.tags).unwrap_or_default(),
            auto_approve: row.auto_approve,
            max_uses: row.max_uses,
            uses: row.uses,
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// A new token, with its secret and how to use it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewEnrolmentToken {
    /// The token's facts.
    #[serde(flatten)]
    pub facts: EnrolmentToken,
    /// The secret. It is not shown again.
    pub token: String,
    /// What agents pin.
    pub ca_fingerprint: String,
    /// What to run on a machine that has an agent.
    pub command: String,
    /// What to run on a machine that has none yet: one line that installs it from this host.
    pub install_command: String,
}
