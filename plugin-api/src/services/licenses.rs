//! Service `licenses`, method `explain` ([`ExplainRequest`] -> [`LicenseReport`]): which licences are installed, what they
//! grant to every installed engine, now or on another day, and how many machines they cover. Not the tokens themselves.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Asks what holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExplainRequest {
    /// At this time, as far as today's licences can tell; now when absent.
    pub at: Option<DateTime<Utc>>,
}

/// What holds at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LicenseReport {
    /// The time that counts: the one asked for, but never before what was seen.
    pub at: Option<DateTime<Utc>>,
    /// Whether this host's clock is behind a time that was seen.
    pub clock_set_back: bool,
    /// Id of the host's key: what a licence may be bound to.
    pub instance: String,
    /// Every licence.
    pub licenses: Vec<LicenseFacts>,
    /// Every installed engine that needs a licence.
    pub engines: Vec<EngineFacts>,
    /// Machines approved now, and how many may be.
    pub machines: MachineUse,
}

/// A licence, without its token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LicenseFacts {
    /// Id; kept by renewals.
    pub id: String,
    /// Customer number.
    pub customer: String,
    /// Organisation.
    pub organisation: String,
    /// Tier, for display.
    pub tier: String,
    /// Engines and the versions granted, as `id version-requirement`.
    pub engines: Vec<String>,
    /// Issued.
    pub issued_at: Option<DateTime<Utc>>,
    /// Begins.
    pub not_before: Option<DateTime<Utc>>,
    /// Ends; absent for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Grace ends; absent for never.
    pub grace_until: Option<DateTime<Utc>>,
    /// Builds up to then keep working for ever.
    pub support_until: Option<DateTime<Utc>>,
    /// A trial.
    pub trial: bool,
    /// Why it was revoked, if it was.
    pub revoked: Option<String>,
}

/// An installed engine and what the licences grant it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineFacts {
    /// Id, as licences name it.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Version installed.
    pub version: String,
    /// Tier, for display.
    pub tier: String,
    /// `granted`, `grace`, `read_only` or `locked`.
    pub state: String,
    /// Stable code of the reason.
    pub code: String,
    /// The answer in one sentence.
    pub sentence: String,
    /// What would unlock it.
    pub unlocks: Option<String>,
    /// When the answer changes next, if nothing else happens.
    pub next_change: Option<NextChange>,
    /// Its console pages.
    pub pages: Vec<String>,
    /// Its commands on machines.
    pub commands: Vec<String>,
    /// How many timers it has set.
    pub jobs: u64,
}

/// The next change of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NextChange {
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The state it changes to.
    pub state: String,
    /// The code it changes to.
    pub code: String,
}

/// Machines against the limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineUse {
    /// Approved now.
    pub approved: u64,
    /// Most that may be; absent for no limit.
    pub limit: Option<u64>,
}
