//! The life of a task: one pure function with every legal transition.

use agent_protocol::task::Outcome;
pub use plugin_api::services::operations::TaskState;

/// Something that happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The host decides to send it, for the first time or again.
    Dispatch,
    /// The agent has it on disk.
    Accepted,
    /// The agent began it.
    Started,
    /// The agent says how it ended.
    Ended(Outcome),
    /// Somebody wants it stopped.
    CancelRequested,
    /// The agent never got it, and somebody wants it stopped.
    CancelledBeforeDelivery,
    /// The machine did not come in time.
    QueueExpired,
    /// Its deadline passed, with a grace, and no result came.
    DeadlinePassed,
    /// The agent had accepted it, and knows nothing of it any more.
    Forgotten,
    /// Secrets or the machine are gone: it cannot be sent.
    Undeliverable,
}

/// What a happening does to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The task moves to this state.
    To(TaskState),
    /// Legal, and the state stays.
    Stay,
    /// A result after the host gave up: kept as evidence, the state stays.
    Late,
    /// Nothing to do: it came twice, or too late to matter.
    Ignored,
}

/// What `happening` does to a task in `state`.
pub fn next(state: TaskState, happening: Happening) -> Transition {
    use Happening as H;
    use TaskState as S;
    use Transition::{Ignored, Late, Stay, To};
    match (state, happening) {
        (S::Queued, H::Dispatch) => To(S::Dispatched),
        (S::Queued, H::QueueExpired) => To(S::NeverDispatched),
        (S::Queued, H::CancelRequested | H::CancelledBeforeDelivery) => To(S::Cancelled),
        (S::Queued | S::Dispatched, H::Undeliverable) => To(S::Failed),
        // The agent knows more than a host whose database was restored: what it says is true.
        (S::Queued, H::Accepted) => To(S::Dispatched),
        (S::Queued | S::Dispatched, H::Started) => To(S::Running),
        (S::Queued | S::Dispatched | S::Running, H::Ended(outcome)) => To(ended(outcome)),
        (S::Dispatched, H::Dispatch | H::Accepted | H::CancelRequested) => Stay,
        (S::Dispatched, H::CancelledBeforeDelivery) => To(S::Cancelled),
        (S::Dispatched | S::Running, H::DeadlinePassed | H::Forgotten) => To(S::NoAnswer),
        (S::Running, H::CancelRequested) => Stay,
        // The host gave up, and the machine answers after all.
        (S::NoAnswer | S::NeverDispatched | S::Cancelled, H::Ended(_)) => Late,
        _ => Ignored,
    }
}

fn ended(outcome: Outcome) -> TaskState {
    match outcome {
        Outcome::Succeeded => TaskState::Succeeded,
        Outcome::Failed | Outcome::Refused | Outcome::Interrupted => TaskState::Failed,
        Outcome::TimedOut => TaskState::TimedOut,
        Outcome::Cancelled => TaskState::Cancelled,
    }
}

/// Every state, in the order of a task's life.
pub const ALL: [TaskState; 9] = [
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

/// The name used in the database and the API.
pub fn name(state: TaskState) -> &'static str {
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

/// The state with this name.
pub fn parse(text: &str) -> Option<TaskState> {
    ALL.into_iter().find(|s| name(*s) == text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn happening() -> impl Strategy<Value = Happening> {
        use Happening as H;
        prop_oneof![
            Just(H::Dispatch),
            Just(H::Accepted),
            Just(H::Started),
            Just(H::CancelRequested),
            Just(H::CancelledBeforeDelivery),
            Just(H::QueueExpired),
            Just(H::DeadlinePassed),
            Just(H::Forgotten),
            Just(H::Undeliverable),
            prop_oneof![
                Just(Outcome::Succeeded),
                Just(Outcome::Failed),
                Just(Outcome::TimedOut),
                Just(Outcome::Cancelled),
                Just(Outcome::Refused),
                Just(Outcome::Interrupted),
            ]
            .prop_map(H::Ended),
        ]
    }

    /// How far along a state is; transitions only go forward.
    fn rank(state: TaskState) -> u8 {
        match state {
            TaskState::Queued => 0,
            TaskState::Dispatched => 1,
            TaskState::Running => 2,
            _ => 3,
        }
    }

    proptest! {
        #[test]
        fn any_history_goes_forward_and_stays_final(story in proptest::collection::vec(happening(), 0..40)) {
            let mut state = TaskState::Queued;
            let mut dispatched = false;
            for happening in story {
                let before = state;
                if let Transition::To(after) = next(state, happening) {
                    prop_assert!(!before.is_final());
                    prop_assert!(rank(after) > rank(before));
                    state = after;
                }
                dispatched |= state == TaskState::Dispatched || state == TaskState::Running;
                // The nine states mean what they say.
                if state == TaskState::NeverDispatched { prop_assert!(!dispatched); }
                if state == TaskState::NoAnswer { prop_assert!(dispatched); }
            }
        }

        #[test]
        fn a_result_ends_every_task_that_has_not_ended(story in proptest::collection::vec(happening(), 0..20)) {
            let mut state = TaskState::Queued;
            for happening in story {
                if let Transition::To(after) = next(state, happening) { state = after; }
            }
            let transition = next(state, Happening::Ended(Outcome::Succeeded));
            if state.is_final() {
                prop_assert!(matches!(transition, Transition::Late | Transition::Ignored));
            } else {
                prop_assert_eq!(transition, Transition::To(TaskState::Succeeded));
            }
        }
    }

    #[test]
    fn names_are_those_of_the_contract() {
        for state in ALL {
            assert_eq!(serde_json::to_value(state).expect("a name"), name(state));
            assert_eq!(parse(name(state)), Some(state));
        }
    }

    #[test]
    fn the_whole_table_is_as_recorded() {
        use Happening as H;
        let happenings = [
            H::Dispatch,
            H::Accepted,
            H::Started,
            H::Ended(Outcome::Failed),
            H::CancelRequested,
            H::CancelledBeforeDelivery,
            H::QueueExpired,
            H::DeadlinePassed,
            H::Forgotten,
            H::Undeliverable,
        ];
        let moves: Vec<String> = ALL
            .iter()
            .flat_map(|s| happenings.iter().map(move |h| (*s, *h)))
            .filter_map(|(s, h)| match next(s, h) {
                Transition::To(t) => Some(format!("{} --{h:?}--> {}", name(s), name(t))),
                _ => None,
            })
            .collect();
        assert_eq!(moves.len(), 17, "{moves:#?}");
    }
}
