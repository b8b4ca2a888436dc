//! What a licence grants for one engine.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The four states of an engine's licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Entitlement {
    /// Everything works.
    Granted {
        /// Until then; absent for ever.
        until: Option<DateTime<Utc>>,
    },
    /// The term is over, and everything still works for a while.
    Grace {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// Reading and export work, the rest does not.
    ReadOnly {
        /// Since then.
        since: DateTime<Utc>,
        /// Why.
        reason: ReadOnlyReason,
    },
    /// Nothing works. Data stays where it is.
    Locked {
        /// Why.
        reason: LockReason,
    },
}

/// Why an engine is read-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadOnlyReason {
    /// Term and grace are over.
    Expired,
    /// The licence asks for contact to the portal, and there was none for too long.
    OfflineTooLong,
}

/// Why an engine is locked. The order is that of how much a reason tells: with several licences the greatest is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum LockReason {
    /// No licence is installed.
    NoLicense,
    /// No licence names the engine.
    EngineNotIncluded,
    /// The licence is for other versions.
    VersionNotIncluded {
        /// The versions it is for.
        versions: String,
        /// Set when the version number is right and the build is later than the support that was bought.
        support_until: Option<DateTime<Utc>>,
    },
    /// The licence is bound to another host.
    WrongInstance,
    /// The licence was revoked.
    Revoked {
        /// The reason that the revocation list gives.
        why: String,
    },
    /// The licence begins later.
    NotYetValid {
        /// Its beginning.
        from: DateTime<Utc>,
    },
}

impl LockReason {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoLicense => "no_license",
            Self::EngineNotIncluded => "engine_not_included",
            Self::VersionNotIncluded { .. } => "version_not_included",
            Self::WrongInstance => "wrong_instance",
            Self::Revoked { .. } => "revoked",
            Self::NotYetValid { .. } => "not_yet_valid",
        }
    }
}

impl ReadOnlyReason {
    /// Stable snake_case code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::OfflineTooLong => "offline_too_long",
        }
    }
}

impl Entitlement {
    /// `granted`, `grace`, `read_only` or `locked`.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Granted { .. } => "granted",
            Self::Grace { .. } => "grace",
            Self::ReadOnly { .. } => "read_only",
            Self::Locked { .. } => "locked",
        }
    }

    /// Stable snake_case code of the reason; the state's name where everything works.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Granted { .. } | Self::Grace { .. } => self.state(),
            Self::ReadOnly { reason, .. } => reason.code(),
            Self::Locked { reason } => reason.code(),
        }
    }

    /// Whether reading and export work.
    pub fn may_read(&self) -> bool {
        !matches!(self, Self::Locked { .. })
    }

    /// Whether everything works.
    pub fn may_write(&self) -> bool {
        matches!(self, Self::Granted { .. } | Self::Grace { .. })
    }

    /// How much is allowed: 3 granted, 2 grace, 1 read-only, 0 locked.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Granted { .. } => 3,
            Self::Grace { .. } => 2,
            Self::ReadOnly { .. } => 1,
            Self::Locked { .. } => 0,
        }
    }

    /// Whether this is the better answer of two: more allowed, or as much for longer.
    pub(crate) fn is_better_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Granted { until: a }, Self::Granted { until: b }) => match (a, b) {
                (None, b) => b.is_some(),
                (Some(_), None) => false,
                (Some(a), Some(b)) => a > b,
            },
            (Self::Grace { until: a }, Self::Grace { until: b }) => a > b,
            (Self::ReadOnly { since: a, .. }, Self::ReadOnly { since: b, .. }) => a > b,
            (Self::Locked { reason: a }, Self::Locked { reason: b }) => a > b,
            _ => self.rank() > other.rank(),
        }
    }
}
