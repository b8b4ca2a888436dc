//! States of an engine, and the one function that says which it is in.

use licenses::Decision;
use serde::Serialize;
use utoipa::ToSchema;

/// What an engine is doing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Stored, about to be loaded.
    Discovered,
    /// Its package may not run: signature, kill list, downgrade.
    Refused {
        /// Stable code.
        code: String,
        /// Why.
        reason: String,
    },
    /// No licence for it.
    Unlicensed {
        /// Why, a code of the licence's decision.
        reason: String,
    },
    /// It needs another engine, or another version of one.
    Incompatible {
        /// What it needs.
        reason: String,
    },
    /// It did not start, migrate or pass its self-test.
    Failed {
        /// What went wrong.
        report: String,
    },
    /// It serves.
    Active,
    /// The licence has lapsed: reading and export work.
    ReadOnly {
        /// Why, a code of the licence's decision.
        reason: String,
    },
    /// It finishes what runs and starts nothing.
    Draining,
    /// An administrator switched it off, or uninstalled it; its data stays.
    Disabled,
    /// It crashed too often and is not started again by itself.
    Quarantined {
        /// How it crashed last.
        report: String,
    },
}

/// What the lifecycle knows of an engine beside its licence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is loaded and nothing went wrong.
    #[default]
    Idle,
    /// Loaded; calls reach it.
    Loaded,
    /// It is being stopped.
    Draining,
    /// Its package may not run.
    Refused {
        /// Stable code.
        code: String,
        /// Why.
        reason: String,
    },
    /// A dependency is missing.
    Incompatible(String),
    /// It did not come up.
    Failed(String),
    /// It crashed too often.
    Quarantined(String),
}

/// The state that follows from what is known. Pure and total; everything that shows or acts on a state asks here.
///
/// What forbids comes first: the administrator's switch, then the package itself, then the licence. Only then counts
/// what the code did.
pub fn state(enabled: bool, decision: &Decision, phase: &Phase) -> State {
    match phase {
        Phase::Draining => return State::Draining,
        _ if !enabled => return State::Disabled,
        Phase::Refused { code, reason } => {
            return State::Refused { code: code.clone(), reason: reason.clone() };
        }
        _ => {}
    }
    let reason = || decision.code().to_owned();
    if !decision.may_read() {
        return State::Unlicensed { reason: reason() };
    }
    match phase {
        Phase::Loaded if decision.may_write() => State::Active,
        Phase::Loaded => State::ReadOnly { reason: reason() },
        Phase::Incompatible(reason) => State::Incompatible { reason: reason.clone() },
        Phase::Failed(report) => State::Failed { report: report.clone() },
        Phase::Quarantined(report) => State::Quarantined { report: report.clone() },
        Phase::Idle | Phase::Draining | Phase::Refused { .. } => State::Discovered,
    }
}

impl State {
    /// Whether calls may reach the engine.
    pub fn serves(&self) -> bool {
        matches!(self, Self::Active | Self::ReadOnly { .. })
    }

    /// The name in API, console and CLI.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Discovered => "discovered",
            Self::Refused { .. } => "refused",
            Self::Unlicensed { .. } => "unlicensed",
            Self::Incompatible { .. } => "incompatible",
            Self::Failed { .. } => "failed",
            Self::Active => "active",
            Self::ReadOnly { .. } => "read_only",
            Self::Draining => "draining",
            Self::Disabled => "disabled",
            Self::Quarantined { .. } => "quarantined",
        }
    }

    /// What to do about it; empty when nothing.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Active => "",
            Self::Discovered => "It loads by itself; look again in a moment.",
            Self::Refused { .. } => "Get a good package of the engine from its publisher and install it.",
            Self::Unlicensed { .. } => {
                "Install a licence that names this engine: `sysmanage license install FILE`."
            }
            Self::Incompatible { .. } => "Install the engine it needs, in a version that fits.",
            Self::Failed { .. } => {
                "Read the report and the log, then enable it again or install another version."
            }
            Self::ReadOnly { .. } => {
                "Renew the licence; until then reading and export work, and nothing is lost."
            }
            Self::Draining => "It stops when its last call has ended.",
            Self::Disabled => "Enable it: `sysmanage engine enable ID`.",
            Self::Quarantined { .. } => {
                "Read the report; enable it to try again, or install another version."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use licenses::{Entitlement, LockReason, ReadOnlyReason};
    use proptest::prelude::*;

    fn decision(entitlement: Entitlement) -> Decision {
        Decision { entitlement, license: None, effective_at: DateTime::UNIX_EPOCH, clock_set_back: None }
    }

    fn phases() -> impl Strategy<Value = Phase> {
        prop_oneof![
            Just(Phase::Idle),
            Just(Phase::Loaded),
            Just(Phase::Draining),
            Just(Phase::Refused { code: "version_killed".into(), reason: "r".into() }),
            Just(Phase::Incompatible("x".into())),
            Just(Phase::Failed("x".into())),
            Just(Phase::Quarantined("x".into())),
        ]
    }

    fn entitlements() -> impl Strategy<Value = Entitlement> {
        let since = DateTime::UNIX_EPOCH;
        prop_oneof![
            Just(Entitlement::Granted { until: None }),
            Just(Entitlement::Grace { until: since }),
            Just(Entitlement::ReadOnly { since, reason: ReadOnlyReason::Expired }),
            Just(Entitlement::Locked { reason: LockReason::NoLicense }),
        ]
    }

    proptest! {
        #[test]
        fn an_engine_serves_only_when_loaded_enabled_and_licensed(enabled: bool, e in entitlements(), phase in phases()) {
            let decision = decision(e);
            let state = state(enabled, &decision, &phase);
            prop_assert_eq!(state.serves(), enabled && decision.may_read() && phase == Phase::Loaded);
            prop_assert_eq!(matches!(state, State::Active), state.serves() && decision.may_write());
        }

        #[test]
        fn every_state_but_active_says_what_to_do(enabled: bool, e in entitlements(), phase in phases()) {
            let state = state(enabled, &decision(e), &phase);
            prop_assert_eq!(state.remedy().is_empty(), state == State::Active);
        }
    }

    #[test]
    fn a_withdrawn_package_is_refused_whatever_the_licence_says() {
        let phase = Phase::Refused { code: "version_killed".into(), reason: "bad".into() };
        let granted = decision(Entitlement::Granted { until: None });
        assert_eq!(state(true, &granted, &phase).name(), "refused");
    }
}
