//! Releases and rollouts as the API shows them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::{release, rollout};

/// An agent for one target.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Release {
    /// Version.
    pub version: String,
    /// Target triple.
    pub target: String,
    /// Size of the file in bytes.
    pub size: i64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// SHA-256 of the program in it.
    pub program_sha256: String,
    /// Who signed it.
    pub publisher: String,
    /// When it was built.
    pub built_at: DateTime<Utc>,
    /// When it came here.
    pub added_at: DateTime<Utc>,
    /// Who brought it.
    pub added_by: String,
}

impl From<release::Model> for Release {
    fn from(row: release::Model) -> Self {
        Self {
            version: row.version,
            target: row.target,
            size: row.size,
            sha256: row.sha256,
            program_sha256: row.program_sha256,
            publisher: row.publisher,
            built_at: row.built_at,
            added_at: row.added_at,
            added_by: row.added_by,
        }
    }
}

/// How far a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Batches follow each other.
    Running,
    /// Too many failed, or somebody said so.
    Paused,
    /// Every machine has its answer.
    Finished,
    /// Given up.
    Cancelled,
}

impl RolloutState {
    /// The name in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        match name {
            "running" => Self::Running,
            "finished" => Self::Finished,
            "cancelled" => Self::Cancelled,
            _ => Self::Paused,
        }
    }
}

/// A rollout to begin.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRollout {
    /// Version that becomes the agents'.
    pub version: String,
    /// Machines.
    pub selector: String,
    /// Machines in one batch, in percent of all; 10 when absent.
    #[serde(default = "ten")]
    pub batch_percent: u8,
    /// Failures after which it pauses; 0 pauses at the first.
    #[serde(default)]
    pub max_failures: u32,
    /// Seconds in which the host must have welcomed a new agent, before its machine puts the old one back; 120 when absent.
    #[serde(default)]
    pub confirm_within_s: Option<u32>,
}

fn ten() -> u8 {
    10
}

/// A rollout.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Rollout {
    /// Id.
    pub id: Uuid,
    /// Version that becomes the agents'.
    pub version: String,
    /// Machines.
    pub selector: String,
    /// Machines in one batch, in percent of all.
    pub batch_percent: i32,
    /// Failures after which it pauses.
    pub max_failures: i32,
    /// Seconds a new agent has to report.
    pub confirm_within_s: i32,
    /// How far it is.
    pub state: RolloutState,
    /// Why it paused; empty otherwise.
    pub reason: String,
    /// One operation per batch, in order.
    pub operations: Vec<Uuid>,
    /// Who began it.
    pub actor_name: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

pub(super) fn operations(row: &rollout::Model) -> Vec<Uuid> {
    serde_json::from_value(row.operations.clone()).unwrap_or_default()
}

impl From<rollout::Model> for Rollout {
    fn from(row: rollout::Model) -> Self {
        Self {
            operations: operations(&row),
            id: row.id,
            version: row.version,
            selector: row.selector,
            batch_percent: row.batch_percent,
            max_failures: row.max_failures,
            confirm_within_s: row.confirm_within_s,
            state: RolloutState::named(&row.state),
            reason: row.reason,
            actor_name: row.actor_name,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
