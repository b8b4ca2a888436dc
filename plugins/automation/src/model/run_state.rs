//! State of a run, derived from the states of its tasks.

use std::collections::BTreeMap;

use plugin_sdk::payloads::operations::TaskState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for another user's approval.
    AwaitingApproval,
    /// Approved (or needing no approval), waits for its window to open.
    Waiting,
    /// Being handed to the host.
    Starting,
    /// No machine has begun.
    Queued,
    /// Some machine has begun and some have not ended.
    Running,
    /// Ended well on every machine.
    Succeeded,
    /// Ended well on some machines only.
    PartlyFailed,
    /// Ended well on no machine.
    Failed,
    /// Cancelled before it ended everywhere else.
    Cancelled,
    /// Refused by an approver.
    Rejected,
    /// Nobody approved it in time, or its window closed.
    Expired,
    /// Could not start: what was approved is not what is there, or the host refused it.
    Refused,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 12] = [
        Self::AwaitingApproval,
        Self::Waiting,
        Self::Starting,
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::PartlyFailed,
        Self::Failed,
        Self::Cancelled,
        Self::Rejected,
        Self::Expired,
        Self::Refused,
    ];

    /// Name in the API and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting_approval",
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::PartlyFailed => "partly_failed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Whether nothing more happens.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Self::AwaitingApproval | Self::Waiting | Self::Starting | Self::Queued | Self::Running
        )
    }

    /// State of a run that was handed to the host, from its tasks by state.
    pub fn derive(counts: &Counts) -> Self {
        let of = |state| counts.get(&state).copied().unwrap_or(0);
        let total: u64 = counts.values().sum();
        let ended: u64 = counts.iter().filter(|(s, _)| s.is_final()).map(|(_, n)| n).sum();
        if ended < total || total == 0 {
            let begun = ended > 0 || of(TaskState::Running) > 0 || of(TaskState::Dispatched) > 0;
            return if begun { Self::Running } else { Self::Queued };
        }
        let (well, cancelled) = (of(TaskState::Succeeded), of(TaskState::Cancelled));
        match () {
            () if well == total => Self::Succeeded,
            () if cancelled > 0 && well + cancelled == total => Self::Cancelled,
            () if well > 0 => Self::PartlyFailed,
            () => Self::Failed,
        }
    }
}

/// Tasks by state.
pub type Counts = BTreeMap<TaskState, u64>;

/// Every state of a task, in the order of the counters.
pub const TASK_STATES: [TaskState; 9] = [
    TaskState::Queued,
    TaskState::Dispatched,
    TaskState::Running,
    TaskState::Succeeded,
    TaskState::Failed,
    TaskState::TimedOut,
    TaskState::NoAnswer,
    TaskState::NeverDispatched,
    TaskState::Cancelled,
];

/// Name of a task's state in the API and the database.
pub fn task_state_name(state: TaskState) -> &'static str {
    match state {
        TaskState::Queued => "queued",
        TaskState::Dispatched => "dispatched",
        TaskState::Running => "running",
        TaskState::Succeeded => "succeeded",
        TaskState::Failed => "failed",
        TaskState::TimedOut => "timed_out",
        TaskState::NoAnswer => "no_answer",
        TaskState::NeverDispatched => "never_dispatched",
        TaskState::Cancelled => "cancelled",
    }
}

/// The task state of that name.
pub fn parse_task_state(name: &str) -> Option<TaskState> {
    TASK_STATES.into_iter().find(|s| task_state_name(*s) == name)
}

/// Whether a report of `to` may replace `from`: states only go forward, and a final one stays.
pub fn advances(from: TaskState, to: TaskState) -> bool {
    !from.is_final() && to > from
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn derive(counts: &[(TaskState, u64)]) -> RunState {
        RunState::derive(&counts.iter().copied().collect())
    }

    #[test]
    fn states_follow_from_the_tasks() {
        use TaskState::*;
        assert_eq!(derive(&[(Queued, 3)]), RunState::Queued);
        assert_eq!(derive(&[(Queued, 2), (Dispatched, 1)]), RunState::Running);
        assert_eq!(derive(&[(Queued, 2), (Succeeded, 1)]), RunState::Running);
        assert_eq!(derive(&[(Succeeded, 3)]), RunState::Succeeded);
        assert_eq!(derive(&[(Succeeded, 2), (NoAnswer, 1)]), RunState::PartlyFailed);
        assert_eq!(derive(&[(TimedOut, 1), (NeverDispatched, 1)]), RunState::Failed);
        assert_eq!(derive(&[(Succeeded, 1), (Cancelled, 1)]), RunState::Cancelled);
        assert_eq!(derive(&[(Failed, 1), (Cancelled, 1)]), RunState::Failed);
    }

    #[test]
    fn names_go_both_ways() {
        for state in RunState::ALL {
            assert_eq!(RunState::parse(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).ok(), Some(state.name().into()));
        }
        for state in TASK_STATES {
            assert_eq!(parse_task_state(task_state_name(state)), Some(state));
            assert_eq!(serde_json::to_value(state).ok(), Some(task_state_name(state).into()));
        }
    }

    proptest! {
        #[test]
        fn a_run_is_final_exactly_when_all_its_tasks_are(counts in prop::collection::vec(0u64..4, 9)) {
            let counts: Counts = TASK_STATES.into_iter().zip(counts).collect();
            let open = counts.iter().any(|(s, n)| *n > 0 && !s.is_final());
            let empty = counts.values().all(|n| *n == 0);
            prop_assert_eq!(RunState::derive(&counts).is_final(), !open && !empty);
        }

        #[test]
        fn a_final_task_never_changes_again(from in 0usize..9, to in 0usize..9) {
            let (from, to) = (TASK_STATES[from], TASK_STATES[to]);
            if from.is_final() { prop_assert!(!advances(from, to)); }
            prop_assert!(!advances(from, from));
        }
    }
}
