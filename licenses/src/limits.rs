//! How many machines a licence lets a host manage.

use crate::License;
use serde::Serialize;
use std::fmt;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineKind {
    /// Machines that are managed themselves.
    Hosts,
    /// Virtual machines and containers on them.
    ChildHosts,
}

impl fmt::Display for MachineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hosts => "hosts",
            Self::ChildHosts => "child hosts",
        })
    }
}

/// The limits in force. They are the greatest among the vendor's licences in force (licences do not add up: a larger one is
/// issued instead); when all have lapsed, among the lapsed ones. Without a licence there is no limit, and no paid engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Most machines, absent for no limit.
    pub hosts: Option<u64>,
    /// Most child machines, absent for no limit.
    pub child_hosts: Option<u64>,
}

/// A machine too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the licence allows {limit} {kind}; {current} are there and {wanted} more were asked for")]
pub struct LimitReached {
    /// What is counted.
    pub kind: MachineKind,
    /// How many may be there.
    pub limit: u64,
    /// How many are there.
    pub current: u64,
    /// How many more were wanted.
    pub wanted: u64,
}

impl LimitReached {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        "machine_limit_reached"
    }
}

impl Limits {
    pub(crate) fn greatest<'a>(licenses: impl Iterator<Item = &'a License>) -> Option<Self> {
        // No limit is the greatest limit.
        let greater = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.max(b));
        licenses
            .map(|license| Self { hosts: license.claims().hosts, child_hosts: license.claims().child_hosts })
            .reduce(|a, b| Self {
                hosts: greater(a.hosts, b.hosts),
                child_hosts: greater(a.child_hosts, b.child_hosts),
            })
    }

    /// The limit for a kind.
    pub fn of(&self, kind: MachineKind) -> Option<u64> {
        match kind {
            MachineKind::Hosts => self.hosts,
            MachineKind::ChildHosts => self.child_hosts,
        }
    }

    /// Whether `wanted` more may join the `current` ones. Asking for none is always admitted.
    ///
    /// # Errors
    /// [`LimitReached`].
    pub fn admits(&self, kind: MachineKind, current: u64, wanted: u64) -> Result<(), LimitReached> {
        match self.of(kind) {
            Some(limit) if wanted > 0 && current.saturating_add(wanted) > limit => {
                Err(LimitReached { kind, limit, current, wanted })
            }
            _ => Ok(()),
        }
    }

    /// How many of the `current` ones are beyond the limit (a smaller licence was installed later).
    pub fn excess(&self, kind: MachineKind, current: u64) -> u64 {
        self.of(kind).map_or(0, |limit| current.saturating_sub(limit))
    }
}
